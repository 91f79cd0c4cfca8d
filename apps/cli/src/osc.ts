import { Command, CommanderError } from 'commander'
import { exitCodes, Failure } from './failure.ts'
import type { CreateOptions } from './osc/create.ts'
import { dockerApi, type DockerApi } from './osc/docker-api.ts'
import { portOf, type PublishedPort } from './osc/port-of.ts'

/** `osc`: the command line of the first OpenStack containers client, on today's Docker API. */
const program = new Command('osc')
  .description('Containers of this cloud in the words of the first OpenStack containers client.')
  .exitOverride()
  .option('--api <url>', 'address of Gantry (default: where OS_AUTH_URL is)')

const collected = <T>(read: (text: string) => T) => {
  return (text: string, before: readonly T[] = []): T[] => [...before, read(text)]
}

program
  .command('container-create')
  .description('create a container and start it; prints its id, or without --daemon what it writes')
  .requiredOption('--image <name>', 'a name, or the id of an image')
  .option('--port <pub:outside:inside>', 'reach it from outside; may be given several times', collected(portOf))
  .option('--daemon', 'leave it running in the background')
  .option('--cmd <command>', 'instead of what the image runs')
  .option('--name <name>')
  .option('--env <key=value>', 'may be given several times', collected(String))
  .option('--network <name>')
  .action(async (options: CreateOptions & { port?: PublishedPort[] }) =>
    withDocker(async (docker) => {
      const { createContainer } = await import('./osc/create.ts')
      const id = await createContainer(docker, options)
      if (options.daemon) print([id])
      else process.exitCode = await follow(docker, id)
    }),
  )

program
  .command('container-show')
  .description('show a container')
  .argument('<container>')
  .action(async (ref: string) =>
    withDocker(async (docker) => {
      const { showContainer } = await import('./osc/show.ts')
      print(await showContainer(docker, ref))
    }),
  )

program
  .command('container-list')
  .description('list containers')
  .option('--all', 'those that are stopped, too')
  .action(async ({ all = false }: { all?: boolean }) =>
    withDocker(async (docker) => {
      const { listContainers, portsOf } = await import('./osc/show.ts')
      const { printTable } = await import('./output/print.ts')
      await printTable(await listContainers(docker, all), [
        { title: 'ID', value: ({ Id }) => Id.slice(0, 12) },
        { title: 'NAME', value: ({ Names }) => Names.map((name) => name.replace(/^\//, '')).join(', ') },
        { title: 'IMAGE', value: ({ Image }) => Image, shrink: 1 },
        { title: 'STATUS', value: ({ Status }) => Status },
        { title: 'PORTS', value: portsOf },
      ])
    }),
  )

program
  .command('container-logs')
  .description('print what a container wrote')
  .argument('<container>')
  .option('--follow', 'stay, and print lines as they are written')
  .action(async (ref: string, { follow: stay = false }: { follow?: boolean }) =>
    withDocker((docker) => logs(docker, ref, stay)),
  )

for (const verb of ['start', 'stop'] as const) {
  program
    .command(`container-${verb}`)
    .description(`${verb} a container`)
    .argument('<container>')
    .action(async (ref: string) =>
      withDocker((docker) => docker.json<void>({ method: 'POST', path: `${pathOf(ref)}/${verb}` })),
    )
}

program
  .command('container-delete')
  .description('delete a container, running or not')
  .argument('<container>')
  .action(async (ref: string) =>
    withDocker((docker) => docker.json<void>({ method: 'DELETE', path: pathOf(ref), query: { force: 1 } })),
  )

async function withDocker(work: (docker: DockerApi) => Promise<unknown>): Promise<void> {
  using docker = await dockerApi(process.env, program.opts<{ api?: string }>().api)
  await work(docker)
}

function pathOf(ref: string): string {
  return `/containers/${encodeURIComponent(ref)}`
}

async function logs(docker: DockerApi, ref: string, stay: boolean): Promise<void> {
  const { writeStream } = await import('./output/frames.ts')
  const query = { stdout: 1, stderr: 1, follow: stay ? 1 : undefined }
  await writeStream(await docker.stream({ path: `${pathOf(ref)}/logs`, query }), process)
}

/** All it writes until it ends; answers with its exit code. */
async function follow(docker: DockerApi, id: string): Promise<number> {
  await logs(docker, id, true)
  const { StatusCode } = await docker.json<{ StatusCode: number }>({ method: 'POST', path: `${pathOf(id)}/wait` })
  return StatusCode
}

function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage
  else if (error instanceof Failure) {
    process.stderr.write(`osc: ${error.said}\n`)
    process.exitCode = error.exitCode
  } else throw error
}
