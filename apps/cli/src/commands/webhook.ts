import type { DeliveryView, WebhookView } from '@gantry/facade-native'
import type { Command } from 'commander'
import { usage } from '../failure.ts'
import { type Collection, deleteCommand, itemOf, itemPath, itemsOf, printItem, printItems } from './collection.ts'
import { finish, withApi } from './common.ts'

interface ChangeOptions {
  readonly name?: string
  readonly url?: string
  readonly type?: string[]
  readonly enable?: boolean
  readonly disable?: boolean
}

const webhooks: Collection<WebhookView> = { noun: 'webhook', path: '/v1/webhooks', key: 'webhooks' }

export function webhookCommand(program: Command): void {
  const webhook = program.command('webhook').description('be told of what happens, by signed requests')
  finish(webhook, { json: false }, [
    { line: 'gantry webhook create https://example.org/hook', about: 'of all that happens in your project' },
    { line: 'gantry webhook test example.org', about: 'sends one now and tells how it went' },
  ])
  createCommand(webhook)
  readCommands(webhook)
  updateCommand(webhook)
  testCommands(webhook)
  deleteCommand(webhook, webhooks, {
    examples: [{ line: 'gantry webhook delete example.org', about: 'by name or id' }],
  })
}

function createCommand(webhook: Command): void {
  const create: Command = webhook
    .command('create')
    .description('keep a receiver; prints the secret that signs what it gets, this once')
    .argument('<url>', 'https://…')
    .option('-n, --name <name>', "default: the URL's host")
    .option('-t, --type <type...>', 'only these: container.create.end, container.*, …')
    .action(async (url: string, { name, type }: ChangeOptions) => {
      const json = { url, ...(name === undefined ? {} : { name }), ...(type === undefined ? {} : { types: type }) }
      const made = await withApi(create, (api) => api.json<WebhookView>({ method: 'POST', path: webhooks.path, json }))
      await show(create, made)
    })
  finish(create, { json: true }, [
    { line: 'gantry webhook create https://example.org/hook -t "container.*"', about: 'of containers only' },
  ])
}

function readCommands(webhook: Command): void {
  const list: Command = webhook
    .command('list')
    .alias('ls')
    .description('list webhooks')
    .option('--all-projects', 'those of every project (administrators)')
    .action(async ({ allProjects }: { allProjects?: boolean }) => {
      const found = await withApi(list, (api) => itemsOf(api, webhooks, allProjects ? { allProjects } : {}))
      await printItems(list, found, [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => name, shrink: 1 },
        { title: 'URL', value: ({ url }) => url, shrink: 2 },
        { title: 'TYPES', value: ({ types }) => types.join(' ') || 'all', shrink: 3 },
        { title: 'STATE', value: stateOf },
      ])
    })
  finish(list, { json: true }, [{ line: 'gantry webhook list', about: 'of your own project' }])

  const one: Command = webhook
    .command('show')
    .description('show a webhook; never its secret')
    .argument('<webhook>', 'id or name')
    .action(async (ref: string) => show(one, await withApi(one, (api) => itemOf(api, webhooks, ref))))
  finish(one, { json: true }, [{ line: 'gantry webhook show example.org', about: 'by name or id' }])
}

function updateCommand(webhook: Command): void {
  const update: Command = webhook
    .command('update')
    .description('change a webhook')
    .argument('<webhook>', 'id or name')
    .option('-n, --name <name>')
    .option('--url <url>')
    .option('-t, --type <type...>')
    .option('--enable', 'after it was disabled; goes on with what it missed, as far as that is kept')
    .option('--disable')
    .action(async (ref: string, { name, url, type, enable = false, disable = false }: ChangeOptions) => {
      if (enable && disable) throw usage('Choose --enable or --disable.')
      const json = {
        ...(name === undefined ? {} : { name }),
        ...(url === undefined ? {} : { url }),
        ...(type === undefined ? {} : { types: type }),
        ...(enable || disable ? { enabled: enable } : {}),
      }
      if (Object.keys(json).length === 0) throw usage('Name at least one change (gantry webhook update --help).')
      const path = itemPath(webhooks, ref)
      await show(update, await withApi(update, (api) => api.json<WebhookView>({ method: 'PATCH', path, json })))
    })
  finish(update, { json: true }, [{ line: 'gantry webhook update example.org --enable', about: 'tries again at once' }])
}

function testCommands(webhook: Command): void {
  const test: Command = webhook
    .command('test')
    .description('send a webhook.test to the receiver now, once')
    .argument('<webhook>', 'id or name')
    .action(async (ref: string) => {
      const path = `${itemPath(webhooks, ref)}/test`
      const delivery = await withApi(test, (api) => api.json<DeliveryView>({ method: 'POST', path }))
      await printItem(test, delivery, [
        ['delivered', delivery.problem === null ? 'yes' : `no: ${delivery.problem}`],
        ['status', delivery.status === null ? null : String(delivery.status)],
        ['milliseconds', String(delivery.milliseconds)],
      ])
      if (delivery.problem !== null) process.exitCode = 1
    })
  finish(test, { json: true }, [{ line: 'gantry webhook test example.org', about: 'fails if the receiver does' }])

  const deliveries: Command = webhook
    .command('deliveries')
    .description('list the last attempts, newest first')
    .argument('<webhook>', 'id or name')
    .action(async (ref: string) => {
      const path = `${itemPath(webhooks, ref)}/deliveries`
      const found = await withApi(deliveries, (api) => api.json<{ deliveries: DeliveryView[] }>({ path }))
      await printItems(deliveries, found.deliveries, [
        { title: 'AT', value: ({ at }) => at },
        { title: 'EVENT', value: ({ event }) => event },
        { title: 'TYPE', value: ({ type }) => type, shrink: 1 },
        { title: 'ATTEMPT', value: ({ attempt }) => String(attempt) },
        { title: 'MS', value: ({ milliseconds }) => String(milliseconds) },
        { title: 'RESULT', value: ({ status, problem }) => problem ?? String(status), shrink: 2 },
      ])
    })
  finish(deliveries, { json: true }, [{ line: 'gantry webhook deliveries example.org', about: 'the last hundred' }])
}

function stateOf({ enabled, failures, nextAt }: WebhookView): string {
  if (!enabled) return 'disabled'
  return failures === 0 ? 'enabled' : `failing, next ${nextAt ?? 'soon'}`
}

async function show(command: Command, webhook: WebhookView): Promise<void> {
  const { id, name, url, types, secret, disabledReason, createdAt } = webhook
  await printItem(command, webhook, [
    ['id', id],
    ['name', name],
    ['url', url],
    ['types', types.join(' ') || 'all'],
    ['state', stateOf(webhook)],
    ['because', disabledReason],
    ['secret', secret ?? null],
    ['created', createdAt],
  ])
}
