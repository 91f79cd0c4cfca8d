import type { Command } from 'commander'
import type { Api } from '../client/api.ts'
import type { Query } from '../client/http.ts'
import { Failure } from '../failure.ts'
import type { Column } from '../output/table.ts'
import { type Example, finish, wantsJson, withApi } from './common.ts'

/** A noun of the API whose objects are listed, shown and deleted in the same way. */
export interface Collection<T> {
  /** `security group`; its plural has an s. */
  readonly noun: string
  /** `/v1/security-groups` */
  readonly path: string
  /** Under which the list's answer has it: `securityGroups`. */
  readonly key: string
  /** Never set: it only says what the objects are. */
  readonly of?: T
}

export function itemPath({ path }: Collection<unknown>, ref: string): string {
  return `${path}/${encodeURIComponent(ref)}`
}

export async function itemsOf<T>(api: Api, { path, key }: Collection<T>, query: Query = {}): Promise<T[]> {
  return (await api.json<Record<string, T[]>>({ path, query }))[key] ?? []
}

export function itemOf<T>(api: Api, collection: Collection<T>, ref: string): Promise<T> {
  return api.json<T>({ path: itemPath(collection, ref) })
}

export async function printItems<T>(command: Command, items: readonly T[], columns: readonly Column<T>[]) {
  const { printJson, printTable } = await import('../output/print.ts')
  return wantsJson(command) ? printJson(items) : printTable(items, columns)
}

/** For a person only what there is to say; for a program everything. */
export async function printItem(command: Command, item: object, pairs: readonly (readonly [string, string | null])[]) {
  const { printJson, printProperties } = await import('../output/print.ts')
  if (wantsJson(command)) return printJson(item)
  await printProperties(pairs.filter((pair): pair is [string, string] => pair[1] !== null && pair[1] !== ''))
}

/** What was made: `word`, for the next command line, or all of it as JSON. */
export async function printMade(command: Command, item: object, word: string): Promise<void> {
  const { printJson } = await import('../output/print.ts')
  if (wantsJson(command)) printJson(item)
  else process.stdout.write(`${word}\n`)
}

export interface Deletion {
  readonly examples: readonly Example[]
  /** It ends later; the command waits for it unless told not to. */
  readonly wait?: boolean
}

/** `delete` with the short name `rm`: several at once, each printed when it is gone. */
export function deleteCommand(parent: Command, collection: Collection<unknown>, { examples, wait = false }: Deletion) {
  const command = parent
    .command('delete')
    .alias('rm')
    .description(`delete ${collection.noun}s`)
    .argument('<ref...>', 'names or ids')
    .action(async (refs: string[], options: { wait?: boolean }) => {
      await withApi(command, (api) =>
        eachOf(refs, async (ref) => {
          await api.json({ method: 'DELETE', path: itemPath(collection, ref) })
          if (wait && options.wait !== false) await untilGone(api, collection, ref)
        }),
      )
    })
  if (wait) command.option('--no-wait', 'do not wait until they are gone')
  finish(command, { json: false }, examples)
}

/** One after the other, printing each that is done; fails at the end if any failed. */
export async function eachOf(refs: readonly string[], work: (ref: string) => Promise<void>): Promise<void> {
  const failures: unknown[] = []
  for (const ref of refs) {
    try {
      await work(ref)
      process.stdout.write(`${ref}\n`)
    } catch (error) {
      failures.push(error)
    }
  }
  const [first, ...others] = failures
  if (first === undefined) return
  for (const failure of others) process.stderr.write(`gantry: ${failure instanceof Error ? failure.message : ''}\n`)
  throw first
}

const patienceMs = 120_000

/** Asks again and again, ever less often, until `isDone`: there are no events of these. */
export async function until<T extends { readonly id: string; readonly name: string; readonly status: string }>(
  api: Api,
  collection: Collection<T>,
  ref: string,
  isDone: (item: T) => boolean,
): Promise<T> {
  const from = Date.now()
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 2000)) {
    const item = await itemOf(api, collection, ref)
    if (isDone(item)) return item
    if (Date.now() - from > patienceMs) {
      throw new Failure(`The ${collection.noun} ${item.name} is still ${item.status}.`, {
        remedy: 'It goes on by itself; look at it with `show`.',
      })
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}

async function untilGone(api: Api, collection: Collection<unknown>, ref: string): Promise<void> {
  const as = collection as Collection<{ id: string; name: string; status: string; statusReason?: string | null }>
  try {
    const left = await until(api, as, ref, ({ status }) => status === 'error' || status === 'Error')
    throw new Failure(left.statusReason ?? `The ${collection.noun} ${ref} could not be deleted.`)
  } catch (error) {
    if (!(error instanceof Failure) || !error.code?.endsWith('.not-found')) throw error
  }
}
