export type Done = 'created' | 'kept' | 'changed' | 'removed'

/** One thing of the cloud, and what became of it. */
export interface Change {
  /** `role`, `endpoint` … */
  readonly what: string
  readonly name: string
  readonly done: Done
}

/** Does things, or in a dry run only says that it would, and keeps the list. */
export interface Ledger {
  readonly changes: readonly Change[]
  readonly dryRun: boolean
  /** `found`, or what `make` makes; null: it would be made. */
  ensure<T>(what: string, name: string, found: T | null, make: () => Promise<T>): Promise<T | null>
  /** Notes `done` after `work`; `kept` needs none. */
  note(what: string, name: string, done: Done, work?: () => Promise<unknown>): Promise<void>
}

/** `tell` hears of each thing as soon as it is done. */
export function openLedger(dryRun: boolean, tell: (change: Change) => void = () => undefined): Ledger {
  const changes: Change[] = []
  const note: Ledger['note'] = async (what, name, done, work) => {
    if (!dryRun) await work?.()
    const change = { what, name, done }
    changes.push(change)
    tell(change)
  }
  return {
    changes,
    dryRun,
    note,
    async ensure<T>(what: string, name: string, found: T | null, make: () => Promise<T>) {
      let result = found
      const work = async () => {
        result = await make()
      }
      await (found === null ? note(what, name, 'created', work) : note(what, name, 'kept'))
      return result
    },
  }
}

/** `created  endpoint public of container (http://…)`. */
export function lineOf({ what, name, done }: Change, dryRun: boolean): string {
  const words = { created: 'would create', kept: 'would keep', changed: 'would change', removed: 'would remove' }
  return dryRun ? `${words[done].padEnd(12)}  ${what} ${name}` : `${done.padEnd(7)}  ${what} ${name}`
}
