import type { IdentityStore } from '@gantry/control'
import { type Clock, randomIds, systemClock } from '@gantry/kernel'
import type { RequestId } from '@gantry/model'
import { bootstrapIdentity, embeddedIdentity } from '@gantry/providers-embedded'
import { identityTables, openSqlite } from '@gantry/store'
import { identityContract, type People, type Person } from '../fixtures/identity-contract.ts'

const requestId = `req-${randomIds.uuid()}` as RequestId

identityContract('the embedded provider', async () => {
  const db = await openSqlite(':memory:')
  const store = identityTables(db)
  const state = { skew: 0 }
  const clock: Clock = { now: () => systemClock.now() + state.skew }
  const made = await bootstrapIdentity(store, { ids: randomIds, clock })
  const identity = embeddedIdentity({ store, ids: randomIds, clock })
  const password = made.find(({ userName }) => userName === 'admin')?.password ?? ''
  const admin = { method: 'password', user: { name: 'admin', domain: { id: 'default' } }, password } as const
  const { token } = await identity.tokens.issue(admin, { kind: 'default' }, 'admin')
  const asker = await identity.authenticate(token, requestId)

  const grantOf = async ({ id }: Person, projectId: string, role: string) => ({
    actor: { kind: 'user', id } as const,
    target: { kind: 'project', id: projectId } as const,
    roleId: await roleId(store, role),
  })

  async function roleId({ roles }: IdentityStore, name: string): Promise<string> {
    return (await roles.list({ name }))[0]?.id ?? (await identity.roles.create(asker, { name })).id
  }

  const people: People = {
    identity,
    pass: (ms) => {
      state.skew += ms
    },
    async newPerson(...roles) {
      const name = `person-${randomIds.hex(4)}`
      const project = await identity.projects.create(asker, { name: `${name}-project`, domainId: 'default' })
      const user = await identity.users.create(asker, { name, password: name, domainId: 'default' })
      const person = { id: user.id, name, password: name, projectId: project.id, projectName: project.name }
      for (const role of roles) await people.grant(person, project.id, role)
      return person
    },
    grant: async (...grant) => identity.grants.add(asker, await grantOf(...grant)),
    ungrant: async (...grant) => identity.grants.remove(asker, await grantOf(...grant)),
    disableUser: async ({ id }) => void (await identity.users.update(asker, id, { enabled: false })),
    disableProject: async ({ projectId }) =>
      void (await identity.projects.update(asker, projectId, { enabled: false })),
    revoke: (one) => identity.tokens.revoke(asker, one),
    [Symbol.asyncDispose]: () => db.destroy(),
  }
  return people
})
