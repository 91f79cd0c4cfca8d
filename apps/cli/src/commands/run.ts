import type { ContainerView, CreateContainer } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import type { ContainerWatch, Outcome } from '../client/watch.ts'
import { exitCodes, Failure, orNotStarted, usage } from '../failure.ts'
import {
  collect,
  finish,
  mebibytes,
  pairsOf,
  positive,
  pullPolicy,
  restartPolicy,
  wholeNumber,
  withApi,
} from './common.ts'
import { plugFields, plugManual, type PlugOptions, plugOptions } from './plug-options.ts'

interface RunOptions extends PlugOptions {
  readonly name?: string
  readonly detach?: boolean
  readonly count?: number
  readonly dryRun?: boolean
  readonly rm?: boolean
  readonly env?: string[]
  readonly label?: string[]
  readonly cpu?: number
  readonly memory?: number
  readonly restart?: ReturnType<typeof restartPolicy>
  readonly interactive?: boolean
  readonly tty?: boolean
  readonly workdir?: string
  readonly pull?: NonNullable<CreateContainer['pullPolicy']>
  readonly entrypoint?: string
  readonly hint?: string[]
  readonly constraint?: string[]
  readonly affinity?: string[]
  readonly antiAffinity?: string[]
  readonly zone?: string
  readonly host?: string
  readonly autoHeal?: boolean
}

export function runCommand(program: Command): void {
  const command = program
    .command('run')
    .description('create a container, start it, and follow what it writes until it ends')
    .argument('<image>', 'as in busybox:latest')
    .argument('[command...]', "command and arguments, instead of the image's own")
    .passThroughOptions()
    .option('--name <name>', 'name; one is made up if left out')
    .option('-d, --detach', 'print the id as soon as it runs, and leave it')
    .option(
      '--count <n>',
      'with -d: so many (up to 1000) or none, named NAME-1, NAME-2 …; their ids are printed at once',
      wholeNumber,
    )
    .option('--dry-run', 'only say whether it would be created, and why not')
    .option('--rm', 'delete it when it has ended')
    .option('-e, --env <key=value>', 'environment variable; KEY alone takes it from here', collect)
    .option('-l, --label <key=value>', 'label', collect)
    .option('--cpu <cores>', 'a hard cap; fractions allowed', positive)
    .option('-m, --memory <size>', 'a hard cap: 512, 512m or 2g', mebibytes)
    .option('--restart <policy>', 'no, always, unless-stopped, on-failure[:N]', restartPolicy)
    .option('-i, --interactive', 'connect this stdin; with -d, only keep its stdin open')
    .option('-t, --tty', 'give it a terminal')
    .option('-w, --workdir <path>', 'working directory')
    .option('--pull <policy>', 'when to ask for the image: always, missing (the default) or never', pullPolicy)
    .option('--entrypoint <command>', "instead of the image's own")
    .option('--constraint <rule>', 'what its host must be, as node.labels.disk==ssd', collect)
    .option('--affinity <whom>', 'on a host with: a container, LABEL==VALUE or image==IMAGE', collect)
    .option('--anti-affinity <whom>', 'on a host without, said in the same words', collect)
    .option('--hint <key=value>', "a hint to the scheduler in Zun's words", collect)
    .option('--zone <name>', 'availability zone')
    .option('--host <name>', 'the host (administrators)')
    .option(
      '--auto-heal',
      'make it anew if it vanishes from its host, or is lost with it where the operator lets that be',
    )
    .action(async (image: string, words: string[], options: RunOptions) => {
      const body = { ...bodyOf(image, words, options), ...(await plugFields(options)) }
      process.exitCode = await orNotStarted(() =>
        withApi(command, (api) =>
          options.dryRun
            ? rehearse(api, body, options)
            : options.count === undefined
              ? run(api, body, options)
              : runMany(api, body, options),
        ),
      )
    })
  plugOptions(command)
  finish(command, { json: false }, [
    { line: 'gantry run busybox echo hello', about: 'prints hello, ends with its exit code' },
    { line: 'gantry run -it busybox sh', about: 'a shell of its own; Ctrl-P Ctrl-Q leaves it running' },
    { line: 'gantry run -d --name web -m 256m nginx', about: 'leaves it running' },
    { line: "gantry run --rm -e LEVEL=3 alpine sh -c 'exit $LEVEL'", about: 'ends with 3, leaves nothing' },
    { line: 'gantry run -d -p 8080:80 nginx', about: 'reached from outside at port 8080' },
    { line: 'gantry run -d --net shop --expose 80 nginx', about: 'on the network shop, reached at port 80' },
    { line: 'gantry run -d --mount source=data,target=/data redis', about: 'what it writes there outlives it' },
  ])
  command.addHelpText('after', plugManual)
  command.addHelpText(
    'after',
    '\nCtrl-C stops the container; once more leaves it to itself. Exit code: that of the container, 125 if it could not be started.',
  )
}

function bodyOf(image: string, words: readonly string[], options: RunOptions): CreateContainer {
  const { name, cpu, memory, restart, workdir, entrypoint, pull, detach = false, rm = false } = options
  return {
    ...placeOf(options),
    image,
    run: true,
    environment: pairsOf(options.env ?? [], process.env),
    labels: pairsOf(options.label ?? []),
    interactive: options.interactive ?? false,
    tty: options.tty ?? false,
    // `gantry run -i … < file`: the end of the file is the end of its stdin.
    stdinOnce: options.interactive === true && !detach,
    // In the foreground this end deletes it, after it has read the last line and the exit code.
    autoRemove: rm && detach,
    ...(words.length === 0 ? {} : { command: [...words] }),
    ...(name === undefined ? {} : { name }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(restart === undefined ? {} : { restartPolicy: restart }),
    ...(workdir === undefined ? {} : { workdir }),
    ...(pull === undefined ? {} : { pullPolicy: pull }),
    ...(entrypoint === undefined ? {} : { entrypoint: [entrypoint] }),
  }
}

/** Where it is to run. */
function placeOf(options: RunOptions): Partial<CreateContainer> {
  const { hint, constraint: constraints, affinity, antiAffinity, zone, host, autoHeal } = options
  return {
    ...(hint && { hints: pairsOf(hint) }),
    ...(constraints && { constraints }),
    ...(affinity && { affinity }),
    ...(antiAffinity && { antiAffinity }),
    ...(zone === undefined ? {} : { availabilityZone: zone }),
    ...(host === undefined ? {} : { host }),
    ...(autoHeal && { autoHeal }),
  }
}

async function run(api: Api, body: CreateContainer, { detach = false, rm = false }: RunOptions): Promise<number> {
  if (body.interactive && body.tty && !detach && !process.stdin.isTTY) {
    throw usage('-t with -i needs a terminal as stdin; leave -t out for a pipe.')
  }
  const { ContainerWatch } = await import('../client/watch.ts')
  await using watch = await ContainerWatch.open(api)
  const { id } = await api.create(body)
  if (detach) {
    mustStart(await watch.until(id, hasBegun))
    process.stdout.write(`${id}\n`)
    return 0
  }
  const release = stopOnInterrupt(api, id)
  try {
    const begun = await watch.until(id, hasBegun)
    // After this line nothing but its end, seen for certain, takes it away: a lost connection must not.
    const exitCode = await follow(api, watch, begun, body.interactive === true)
    if (exitCode === 'left') return 0
    if (rm) await remove(api, watch, id)
    mustStart(begun)
    return exitCode
  } finally {
    release()
  }
}

async function rehearse(api: Api, body: CreateContainer, { count }: RunOptions): Promise<number> {
  const { name } = await api.rehearse(body, count)
  const what =
    count === undefined ? `Container ${body.name ?? '(a name is made up)'}` : `${count} containers as ${name}`
  process.stdout.write(`${what} would be created. Nothing was.\n`)
  return 0
}

async function runMany(api: Api, body: CreateContainer, { count = 1, detach = false }: RunOptions): Promise<number> {
  if (!detach) throw usage('--count needs -d: nobody can follow several at once.')
  for (const { id } of await api.createMany({ ...body, count })) process.stdout.write(`${id}\n`)
  return 0
}

/**
 * Prints what it writes until it has ended for good, or its user has left it; the exit code is its own. A container that its restart policy starts
 * again ends one log stream and begins another, known by a new start time.
 */
async function follow(api: Api, watch: ContainerWatch, begun: Outcome, interactive: boolean): Promise<number | 'left'> {
  if (begun.gone) return begun.exitCode ?? exitCodes.failed
  if (begun.container.status === 'Error') return exitCodes.notStarted
  const { readLogs } = await import('./logs.ts')
  const { id } = begun.container
  const connect = interactive && begun.container.status === 'Running'
  let shown = connect ? await tryAttach(api, begun.container) : 'missed'
  if (shown === 'left') return 'left'
  let started = begun.container.startedAt
  let since: number | undefined
  for (;;) {
    if (shown === 'missed') await readLogs(api, id, { follow: true, ...(since === undefined ? {} : { since }) })
    shown = 'missed'
    const outcome = await watch.until(id, ({ task, startedAt, status }) => {
      return task === null && (hasEnded(status) || startedAt !== started)
    })
    if (outcome.gone) return outcome.exitCode ?? exitCodes.failed
    const { container } = outcome
    if (hasEnded(container.status)) return codeOf(container)
    started = container.startedAt
    since = started === null ? undefined : Date.parse(started) / 1000
  }
}

/** `missed`: it had ended before, so what it wrote is in its log. */
async function tryAttach(api: Api, container: ContainerView): Promise<'ended' | 'left' | 'missed'> {
  const { attachOnce } = await import('./attach.ts')
  try {
    return await attachOnce(api, container, { stdin: true })
  } catch (error) {
    if (error instanceof Failure && error.code === 'container.state') return 'missed'
    throw error
  }
}

function hasBegun({ task, status }: ContainerView): boolean {
  return status === 'Error' || (task === null && status !== 'Creating')
}

function hasEnded(status: string): boolean {
  return status === 'Stopped' || status === 'Error' || status === 'Dead' || status === 'Deleted'
}

function mustStart(outcome: Outcome): void {
  if (outcome.gone || outcome.container.status !== 'Error') return
  const { name, statusReason, id } = outcome.container
  const remedy = `It is kept for you to look at: \`gantry show ${name}\`; \`gantry rm ${id}\` deletes it.`
  throw new Failure(`Container ${name} did not start: ${statusReason ?? 'no reason was given'}`, { remedy })
}

function codeOf({ exitCode, status, statusReason }: ContainerView): number {
  if (statusReason !== null) process.stderr.write(`gantry: ${statusReason}\n`)
  return exitCode ?? (status === 'Stopped' ? 0 : exitCodes.notStarted)
}

async function remove(api: Api, watch: ContainerWatch, id: string): Promise<void> {
  try {
    await api.delete(id, { stop: true })
    await watch.until(id, () => false)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'container.not-found') throw error
  }
}

/** The first Ctrl-C (or SIGTERM) stops the container, which ends the log; the second leaves. Answers with the undoing. */
function stopOnInterrupt(api: Api, id: string): () => void {
  let asked = 0
  const onSignal = (): void => {
    asked += 1
    if (asked > 1) process.exit(exitCodes.interrupted)
    process.stderr.write('\nStopping it; Ctrl-C again leaves it to itself.\n')
    api.act(id, 'stop').catch((error: unknown) => {
      process.stderr.write(`gantry: ${error instanceof Error ? error.message : String(error)}\n`)
    })
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
}
