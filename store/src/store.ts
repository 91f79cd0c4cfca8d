import type { Store, Tables } from '@gantry/control'
import type { Kysely } from 'kysely'
import type { Database } from './database.ts'
import { actionTable } from './tables/actions.ts'
import { containerTable } from './tables/containers.ts'
import { hostTable } from './tables/hosts.ts'
import { imageTable } from './tables/images.ts'
import { quotaTable } from './tables/quotas.ts'

/** Control's store on any Kysely database whose schema is up to date. */
export function createStore(db: Kysely<Database>): Store {
  return {
    ...tables(db),
    transaction: (work) => db.transaction().execute((transaction) => work(tables(transaction))),
  }
}

function tables(db: Kysely<Database>): Tables {
  return {
    containers: containerTable(db),
    actions: actionTable(db),
    hosts: hostTable(db),
    images: imageTable(db),
    quotas: quotaTable(db),
  }
}
