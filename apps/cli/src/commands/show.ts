import type { ContainerView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { finish, wantsJson, withApi } from './common.ts'

export function showCommand(program: Command): void {
  const command = program
    .command('show')
    .alias('inspect')
    .description('show everything about a container')
    .argument('<container>', 'its name or id')
    .option('--all-projects', 'look in every project (administrators)')
    .action(async (ref: string, { allProjects }: { allProjects?: boolean }) => {
      const query = allProjects ? { allProjects } : {}
      const container = await withApi(command, (api) => api.container(ref, query))
      const { printJson, printProperties } = await import('../output/print.ts')
      if (wantsJson(command)) return printJson(container)
      await printProperties(await describe(container))
    })
  finish(command, { json: true }, [
    { line: 'gantry show web', about: 'for a person' },
    { line: 'gantry show web --json', about: 'for a program' },
  ])
}

async function describe(container: ContainerView): Promise<[string, string][]> {
  const { ago, statusText } = await import('../output/words.ts')
  const now = Date.now()
  const { restartPolicy: restart, healthcheck } = container
  const all: [string, string | null][] = [
    ['Name', container.name],
    ['Id', container.id],
    ['Status', statusText(container, now)],
    ['Reason', container.statusReason],
    ['Task', container.task],
    ['Image', container.image],
    ['Entrypoint', words(container.entrypoint)],
    ['Command', words(container.command)],
    ['Working directory', container.workdir],
    ['Host', container.host],
    ['Addresses', container.addresses.map(({ address }) => address).join(', ')],
    ['Ports', container.ports.join(', ')],
    ['Not reached', unreached(container).join(', ')],
    ['Networks', [...new Set(container.addresses.map(({ network }) => network))].join(', ')],
    ['Security groups', container.securityGroups.join(', ')],
    ['Mounts', container.mounts.map(mountText).join('; ')],
    ['Capsule', container.capsule],
    ['Registry', container.registry],
    ['CPU', `${container.cpu} cores`],
    ['Memory', `${container.memory} MiB`],
    ['Disk', `${container.disk} GiB`],
    ['Restart', restart.maxRetries > 0 ? `${restart.name}, ${restart.maxRetries} times` : restart.name],
    ['Restarted', container.restartCount > 0 ? `${container.restartCount} times` : null],
    ['Health check', healthcheck?.command ?? null],
    ['Created', `${container.createdAt} (${ago(container.createdAt, now)})`],
    ['Started', container.startedAt],
    ['Finished', container.finishedAt],
    ['Environment', pairs(container.environment)],
    ['Labels', pairs(container.labels)],
    ['Project', container.projectId],
  ]
  return all.filter((pair): pair is [string, string] => pair[1] !== null && pair[1] !== '')
}

function mountText({ destination, readOnly, volumeId, size }: ContainerView['mounts'][number]): string {
  return `${volumeId ?? `a file of ${size ?? 0} bytes`} at ${destination}${readOnly ? ', read only' : ''}`
}

/** What of a running one is published and leads nowhere: no router connects its networks with the outside. */
function unreached({ status, publish, published }: ContainerView): string[] {
  if (status !== 'Running') return []
  const led = new Set(published.map((each) => `${each.containerPort}/${each.protocol}`))
  const missing = publish.map((each) => `${each.containerPort}/${each.protocol}`).filter((port) => !led.has(port))
  return [...new Set(missing)].map((port) => `${port} (no router leads outside)`)
}

/** As one would type them. */
function words(list: readonly string[]): string {
  return list
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ')
}

function pairs(map: Readonly<Record<string, string>>): string {
  return Object.entries(map)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')
}
