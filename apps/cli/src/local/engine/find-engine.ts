import type { Home } from '../home.ts'
import type { Progress } from '../progress.ts'
import { unfit } from '../unfit.ts'
import { askVersion, type EngineVersion } from './engine-call.ts'
import { candidateSockets, type EngineChoice, readChoice, socketOf, writeChoice } from './engine-choice.ts'
import {
  installEngine,
  installPackages,
  isInstalled,
  missingPrograms,
  packagesOf,
  whyNotInstallable,
} from './install-engine.ts'
import { ownSocket, startOwnEngine } from './own-engine.ts'

export interface FoundEngine extends EngineChoice, EngineVersion {}

const pingMs = 5000

export interface FindOptions {
  /** `--engine unix://…`: this one and no other. */
  readonly asked: string | undefined
  readonly env: NodeJS.ProcessEnv
}

/**
 * The engine to use: the one asked for; else the one this home has used before; else DOCKER_HOST; else whichever answers
 * on a usual socket; else one of our own, installed first if need be. Throws `machine.unfit`.
 */
export async function findEngine(
  home: Home,
  options: FindOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<FoundEngine> {
  const found = (await runningEngine(home, options, signal)) ?? (await ownEngine(home, progress, signal))
  await writeChoice(home, { socket: found.socket, own: found.own })
  await hostTools(home, progress, signal)
  return found
}

/** As `findEngine`, but starts and installs nothing: undefined if only an engine of our own is left. */
export async function runningEngine(
  home: Home,
  { asked, env }: FindOptions,
  signal: AbortSignal,
): Promise<FoundEngine | undefined> {
  if (asked !== undefined) return await mustAnswer(socketOf(asked, '--engine'), 'asked for with --engine', signal)
  const before = readChoice(home)
  if (before?.own) return await answering(before, signal)
  if (before) return await mustAnswer(before.socket, 'that this cloud used until now', signal)
  const dockerHost = env['DOCKER_HOST']
  if (dockerHost) return await mustAnswer(socketOf(dockerHost, 'DOCKER_HOST'), 'named by DOCKER_HOST', signal)
  for (const socket of [...candidateSockets(env), ownSocket(home)]) {
    const found = await answering({ socket, own: socket === ownSocket(home) }, signal)
    if (found) return found
  }
  return undefined
}

async function answering(choice: EngineChoice, signal: AbortSignal): Promise<FoundEngine | undefined> {
  const version = await askVersion(choice.socket, pingMs, signal)
  return version && { ...choice, ...version }
}

async function mustAnswer(socket: string, which: string, signal: AbortSignal): Promise<FoundEngine> {
  const found = await answering({ socket, own: false }, signal)
  if (found) return found
  throw unfit(
    `The engine ${which} does not answer at unix://${socket}.`,
    'Start it (for Docker: `systemctl start docker`), or name another with --engine unix:///PATH.',
  )
}

/** An engine that was there already does not bring them. Without them the agent says what it cannot do, and why. */
async function hostTools(home: Home, progress: Progress, signal: AbortSignal): Promise<void> {
  const packages = packagesOf(missingPrograms())
  if (packages.length === 0 || process.getuid?.() !== 0 || whyNotInstallable() !== undefined) return
  await progress
    .step(`Installing what networks and volumes need (apt: ${packages.join(' ')})`, (say) =>
      installPackages(home, packages, say, signal),
    )
    .catch(() => signal.throwIfAborted())
}

async function ownEngine(home: Home, progress: Progress, signal: AbortSignal): Promise<FoundEngine> {
  if (process.getuid?.() !== 0) {
    throw unfit(
      'No Docker or Podman engine answers to this user, and only root can start one.',
      'Run as root, start an engine (`systemctl --user start podman.socket`), or name its socket with --engine unix:///PATH.',
    )
  }
  if (!isInstalled()) {
    const reason = whyNotInstallable()
    if (reason !== undefined)
      throw unfit(
        `No Docker or Podman engine runs here and ${reason}.`,
        'Install Docker or Podman and start it, then try again.',
      )
    await progress.step('Installing the Docker engine (apt: docker.io)', (say) => installEngine(home, say, signal))
  }
  return await progress.step(
    'Starting an engine of our own',
    () => startOwnEngine(home, signal),
    (engine) => `Engine ${engine.kind} ${engine.version} started`,
  )
}
