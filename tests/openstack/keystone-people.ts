import { type Clock, type Ids, randomIds, systemClock } from '@gantry/kernel'
import { allOf, type Credential, type IdentityService } from '@gantry/openstack'
import { keystoneIdentity, openAccess, type OpenAccess } from '@gantry/providers-openstack'
import type { Log } from '@gantry/control'
import type { People, Person } from '../fixtures/identity-contract.ts'
import { testCloud } from './fixtures/test-cloud.ts'

export interface KeystoneParts {
  /** In place of the cloud's own address, and of the service user that is made there. */
  readonly authUrl?: string
  readonly service?: Credential
  readonly log?: Log
}

export interface KeystonePeople extends People {
  readonly access: OpenAccess
  readonly keystone: IdentityService
  /** The server's, which `pass` moves on. */
  readonly clock: Clock
}

const silent: Log = { info() {}, warn() {}, error() {} }
const ids: Ids = randomIds
const soon = () => ({ signal: AbortSignal.timeout(60_000) })

/** Our identity provider on a real Keystone; whom its tests make goes again. */
export async function keystonePeople({ authUrl, service, log = silent }: KeystoneParts = {}): Promise<KeystonePeople> {
  const state = { skew: 0 }
  const clock: Clock = { now: () => systemClock.now() + state.skew }
  const cloud = await testCloud()
  const keystone = cloud.identity
  const own = await cloud.ensureUser('gantry', 'service', ['admin', 'service'])
  const settings = {
    authUrl: authUrl ?? cloud.authUrl,
    credential: service ?? cloud.credential(own),
    interface: 'public',
    insecure: false,
    endpoints: {},
  } as const
  const access = await openAccess(settings, { clock, ids, log })
  const made: { readonly users: string[]; readonly projects: string[]; readonly roles: string[] } = {
    users: [],
    projects: [],
    roles: [],
  }

  async function grantOf({ id: userId }: Person, projectId: string, role: string) {
    const [known] = await allOf(keystone.roles.list({ name: role }, soon()))
    if (known) return { userId, projectId, roleId: known.id }
    const { id: roleId } = await keystone.roles.create({ name: role }, soon())
    made.roles.push(roleId)
    return { userId, projectId, roleId }
  }

  const people: KeystonePeople = {
    identity: keystoneIdentity({ access, clock, log }),
    access,
    keystone,
    clock,
    pass: (ms) => {
      state.skew += ms
    },
    async newPerson(...roles) {
      const name = `person-${ids.hex(4)}`
      const project = await keystone.projects.create({ name: `${name}-project`, domain_id: 'default' }, soon())
      made.projects.push(project.id)
      const user = await keystone.users.create({ name, password: name, domain_id: 'default' }, soon())
      made.users.push(user.id)
      const person = { id: user.id, name, password: name, projectId: project.id, projectName: project.name }
      for (const role of roles) await people.grant(person, project.id, role)
      return person
    },
    grant: async (...grant) => keystone.grant(await grantOf(...grant), soon()),
    ungrant: async (...grant) => void (await keystone.ungrant(await grantOf(...grant), soon())),
    disableUser: async ({ id }) => void (await keystone.users.update(id, { enabled: false }, soon())),
    disableProject: async ({ projectId }) =>
      void (await keystone.projects.update(projectId, { enabled: false }, soon())),
    revoke: async (token) => void (await keystone.revoke(token, soon())),
    async [Symbol.asyncDispose]() {
      for (const id of made.users) await keystone.users.remove(id, soon())
      for (const id of made.projects) await keystone.projects.remove(id, soon())
      for (const id of made.roles) await keystone.roles.remove(id, soon())
      await access[Symbol.asyncDispose]()
      await cloud[Symbol.asyncDispose]()
    },
  }
  return people
}
