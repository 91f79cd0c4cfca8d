import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { CapsuleView } from '@gantry/facade-native'
import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import { Failure, usage } from '../failure.ts'
import { type Collection, deleteCommand, itemOf, printItem, printItems, printMade } from './collection.ts'
import { finish, wantsJson, withApi } from './common.ts'

const capsules: Collection<CapsuleView> = { noun: 'capsule', path: '/v1/capsules', key: 'capsules' }

export function capsuleCommand(program: Command): void {
  const capsule = program.command('capsule').description('capsules: containers that share a network and a fate')
  finish(capsule, { json: false }, [
    { line: 'gantry capsule create -f shop.yaml', about: "from Zun's capsule template" },
    { line: 'gantry capsule show shop', about: 'with its containers' },
  ])
  createCommand(capsule)
  listCommand(capsule)
  showCommand(capsule)
  deleteCommand(capsule, capsules, {
    wait: true,
    examples: [{ line: 'gantry capsule delete shop', about: 'with all that is in it, whatever it does' }],
  })
}

const template = `
A template, in YAML or JSON:
  kind: capsule
  metadata:
    name: shop
    labels: {tier: front}
  spec:
    restartPolicy: Always            # or OnFailure, Never
    containers:
      - image: nginx
        ports: [{containerPort: 80}]
        volumeMounts: [{name: data, mountPath: /srv}]
      - image: redis
        command: [redis-server]
        env: {LEVEL: "3"}
        resources: {requests: {cpu: 0.5, memory: 256}}
    initContainers:                  # one after the other, before the others
      - {image: busybox, command: [touch, /tmp/ready]}
    volumes:
      - {name: data, cinder: {size: 1, autoRemove: true}}   # or volumeID: an existing one
    nets: [{network: shop}]          # left out: the project's own network
    securityGroups: [web]            # left out: default
Containers of a capsule reach each other at localhost.`

function createCommand(capsule: Command): void {
  const command = capsule
    .command('create')
    .description('create a capsule from a template and wait until it runs')
    .requiredOption('-f, --file <file>', 'template, YAML or JSON; - is stdin')
    .option('--no-wait', 'do not wait until it runs')
    .action(async ({ file, wait }: { file: string; wait: boolean }) => {
      const json = { template: await readTemplate(file) }
      const made = await withApi(command, async (api) => {
        const created = await api.json<CapsuleView>({ method: 'POST', path: capsules.path, json })
        return wait ? untilRunning(api, created.id) : created
      })
      await printMade(command, made, made.id)
    })
  finish(command, { json: true }, [
    { line: 'gantry capsule create -f shop.yaml', about: 'prints its id' },
    { line: 'gantry capsule create --no-wait -f - < shop.json', about: 'from stdin' },
  ])
  command.addHelpText('after', template)
}

/** Its containers may pull large images: as long as nothing fails, it waits. */
async function untilRunning(api: Api, id: string): Promise<CapsuleView> {
  const { ContainerWatch } = await import('../client/watch.ts')
  await using watch = await ContainerWatch.open(api)
  for (;;) {
    const next = watch.next()
    const found = await itemOf(api, capsules, id)
    if (found.status === 'Error') {
      throw new Failure(`Capsule ${found.name} did not start: ${found.statusReason ?? 'no reason was given'}`, {
        remedy: `\`gantry capsule show ${found.name}\` shows it; \`gantry capsule delete ${id}\` deletes it.`,
      })
    }
    if (found.status !== 'Creating') return found
    await next
  }
}

async function readTemplate(file: string): Promise<unknown> {
  const written = file === '-' ? await text(process.stdin) : await fileText(file)
  const { parse, YAMLParseError } = await import('yaml')
  try {
    return parse(written)
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    throw usage(`${file} is neither YAML nor JSON: ${error.message.split('\n', 1)[0]?.replace(/:$/, '')}.`)
  }
}

async function fileText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw usage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

function listCommand(capsule: Command): void {
  const command = capsule
    .command('list')
    .alias('ls')
    .description('list capsules')
    .option('--all-projects', 'those of every project (administrators)')
    .action(async ({ allProjects }: { allProjects?: boolean }) => {
      const { ago } = await import('../output/words.ts')
      const now = Date.now()
      await printItems(command, await withApi(command, (api) => allPages(api, { allProjects })), [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => name, shrink: 1 },
        { title: 'STATUS', value: ({ status }) => status },
        { title: 'CONTAINERS', value: ({ containers }) => String(containers.length) },
        { title: 'ADDRESS', value: addressesOf },
        { title: 'CREATED', value: ({ createdAt }) => ago(createdAt, now) },
      ])
    })
  finish(command, { json: true }, [{ line: 'gantry capsule list', about: 'a table' }])
}

async function allPages(api: Api, query: { allProjects?: boolean | undefined }): Promise<CapsuleView[]> {
  const all: CapsuleView[] = []
  let marker: string | undefined
  do {
    const page = await api.json<{ capsules: CapsuleView[]; next: string | null }>({
      path: capsules.path,
      query: { ...query, marker },
    })
    all.push(...page.capsules)
    marker = page.next ?? undefined
  } while (marker !== undefined)
  return all
}

function showCommand(capsule: Command): void {
  const command = capsule
    .command('show')
    .description('show a capsule and its containers')
    .argument('<capsule>', 'its name or id')
    .action(async (ref: string) => {
      const found = await withApi(command, (api) => itemOf(api, capsules, ref))
      await printItem(command, found, [
        ['Name', found.name],
        ['Id', found.id],
        ['Status', found.status],
        ['Reason', found.statusReason],
        ['Addresses', addressesOf(found)],
        ['Restart', found.restartPolicy],
        ['Host', found.host],
        ['Labels', pairs(found.labels)],
        ['Annotations', pairs(found.annotations)],
        ['Created', found.createdAt],
        ['Project', found.projectId],
      ])
      if (!wantsJson(command)) await printContainers(found)
    })
  finish(command, { json: true }, [{ line: 'gantry capsule show shop', about: 'its containers can be asked for logs' }])
}

async function printContainers({ containers, initContainers }: CapsuleView): Promise<void> {
  const { printTable } = await import('../output/print.ts')
  const { statusText } = await import('../output/words.ts')
  const now = Date.now()
  const rows = [
    ...initContainers.map((one) => ({ ...one, part: 'init' })),
    ...containers.map((one) => ({ ...one, part: '' })),
  ]
  process.stdout.write('\n')
  await printTable(rows, [
    { title: 'CONTAINER', value: ({ name }) => name },
    { title: 'IMAGE', value: ({ image, part }) => (part === '' ? image : `${image} (${part})`), shrink: 1 },
    { title: 'STATUS', value: (container) => statusText(container, now) },
  ])
}

function addressesOf({ addresses }: CapsuleView): string {
  return addresses.map(({ address }) => address).join(', ') || '-'
}

function pairs(map: Readonly<Record<string, string>>): string {
  return Object.entries(map)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')
}
