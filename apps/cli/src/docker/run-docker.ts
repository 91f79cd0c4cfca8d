import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Env } from '../client/credentials.ts'
import { Failure } from '../failure.ts'
import { dockerArgs } from './docker-args.ts'
import { configDirFor, ownConfigDir, writeDockerConfig, writePrivate } from './docker-config.ts'
import { type DockerLogin, dockerLogin, tcpOf } from './docker-login.ts'

/** Those of docker's own that would send it elsewhere, or replace the headers of its configuration. */
export const dockerVariables = [
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_TLS',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
  'DOCKER_CUSTOM_HEADERS',
  'DOCKER_API_VERSION',
]

/** Runs the docker command line against this cloud, as the caller; answers with its exit code. */
export async function runDocker(words: readonly string[], env: Env, api: string | undefined): Promise<number> {
  const { args } = dockerArgs(words)
  const login = await dockerLogin(env, api)
  const dir = configDirFor(env, { url: login.url, user: login.token.user, projectId: login.token.projectId })
  await writeDockerConfig(dir, ownConfigDir(env), headersOf(login))
  const tls = login.url.startsWith('https:') ? await trusting(dir, login.dockerCa) : {}
  const others = Object.fromEntries(Object.entries(env).filter(([name]) => !dockerVariables.includes(name)))
  return run('docker', args, { ...others, DOCKER_CONFIG: dir, DOCKER_HOST: tcpOf(login.url), ...tls })
}

export function headersOf({ token }: Pick<DockerLogin, 'token'>): Record<string, string> {
  return { 'X-Auth-Token': token.token, 'X-Auth-Project-Id': token.projectId }
}

/** Makes docker speak TLS and believe the same authority as we do. */
export async function trusting(dir: string, ca: Buffer): Promise<Record<string, string>> {
  await writePrivate(join(dir, 'ca.pem'), ca.toString('utf8'))
  return { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: dir }
}

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** On our terminal, with our stdin; signals reach it, and its end is ours. */
export async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(program, args, { env, stdio: 'inherit' })
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(program, error)))
  child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]))
  // A terminal sends Ctrl-C to both of us; then it has heard already, and we only must not die before it.
  const pass = (signal: NodeJS.Signals) => {
    if (!process.stdin.isTTY || signal === 'SIGTERM' || signal === 'SIGHUP') child.kill(signal)
  }
  for (const signal of passedOn) process.on(signal, pass)
  try {
    return await promise
  } finally {
    for (const signal of passedOn) process.off(signal, pass)
  }
}

function notStarted(program: string, error: NodeJS.ErrnoException): Failure {
  if (error.code !== 'ENOENT')
    return new Failure(`${program} could not be started: ${error.message}.`, { cause: error })
  const remedy = 'Install it: apt-get install docker.io (or docker-ce-cli), or dnf install docker-cli.'
  return new Failure(`The ${program} command is not installed.`, { remedy, exitCode: 127, cause: error })
}
