import type { IdentityStore } from '@gantry/control'
import type { Kysely } from 'kysely'
import type { IdentityDatabase } from './database.ts'
import * as entities from './entities.ts'
import { entityTable } from './entity-table.ts'
import { grantTable } from './grants.ts'
import { memberTable, passwordTable, revocationTable, signingKeyTable } from './secrets.ts'

export type { IdentityDatabase } from './database.ts'

/** The identity store on any SQL that SQLite and PostgreSQL share. */
export function identityTables<D extends IdentityDatabase>(database: Kysely<D>): IdentityStore {
  // Kysely is invariant in its tables; that there are more of them does no harm here.
  const db = database as unknown as Kysely<IdentityDatabase>
  return {
    domains: entityTable(db, entities.domains),
    projects: entityTable(db, entities.projects),
    users: entityTable(db, entities.users),
    groups: entityTable(db, entities.groups),
    roles: entityTable(db, entities.roles),
    regions: entityTable(db, entities.regions),
    services: entityTable(db, entities.services),
    endpoints: entityTable(db, entities.endpoints),
    appCredentials: entityTable(db, entities.appCredentials),
    passwords: passwordTable(db),
    members: memberTable(db),
    grants: grantTable(db),
    revocations: revocationTable(db),
    signingKeys: signingKeyTable(db),
  }
}
