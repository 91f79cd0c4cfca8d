import type { Store } from '@gantry/control'
import { randomIds, systemClock } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import { type NeutronVerbs, neutronVerbs, type OpenAccess, openAccess } from '@gantry/providers-openstack'
import { createStore, openSqlite } from '@gantry/store'
import type { CloudUser, TestCloud } from './fixtures/test-cloud.ts'
import { callerOf } from './fixtures/world-parts.ts'

/** The network verbs on a real Neutron, on a store in memory. */
export interface VerbsWorld extends AsyncDisposable {
  readonly verbs: NeutronVerbs
  readonly store: Store
  readonly access: OpenAccess
  readonly deployment: string
  callerOf(user: CloudUser, isAdmin?: boolean): Promise<Caller>
  /** The verbs of a server that begins now, with the same store. */
  begin(): NeutronVerbs
}

export async function verbsWorld(cloud: TestCloud): Promise<VerbsWorld> {
  const service = await cloud.ensureUser('gantry', 'service', ['admin', 'service'])
  const log = { info() {}, warn() {}, error() {} }
  const parts = { clock: systemClock, ids: randomIds, log }
  const { authUrl } = cloud
  const access = await openAccess(
    { authUrl, credential: cloud.credential(service), interface: 'public', insecure: false, endpoints: {} },
    parts,
  )
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  const deployment = randomIds.uuid()
  const begin = () => neutronVerbs({ ...parts, access, store, deployment })
  return {
    verbs: begin(),
    store,
    access,
    deployment,
    begin,
    callerOf: (user, isAdmin) => callerOf(cloud, user, isAdmin),
    async [Symbol.asyncDispose]() {
      await access[Symbol.asyncDispose]()
      await db.destroy()
    },
  }
}
