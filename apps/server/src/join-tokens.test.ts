import { simFacts } from '@gantry/control/testing'
import { randomIds } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import { createStore, openSqlite } from '@gantry/store'
import { expect, test } from 'vitest'
import { joinTokens } from './join-tokens.ts'
import { simHostId } from './testing/a-world.ts'

test('a second machine of the same name does not become the first one while that is connected', async () => {
  const db = await openSqlite(':memory:')
  const store = createStore(db)
  const clock = { now: () => 1_700_000_000_000 }
  const connected = new Set<HostId>([simHostId])
  const tokens = joinTokens(store, clock, randomIds, (id) => connected.has(id))
  await store.hosts.upsert({ id: simHostId, name: 'debian', availabilityZone: 'nova', facts: simFacts, at: 1 })
  const { id, secret } = await tokens.issue()
  await expect(tokens.redeem(id, secret, 'debian')).rejects.toMatchObject({
    code: 'agent.token-refused',
    message: expect.stringContaining('debian is connected'),
  })
  // The token is not lost by that; and a host that is away may come back with a new key.
  connected.clear()
  expect(await tokens.redeem(id, secret, 'debian')).toBe(simHostId)
  await expect(tokens.redeem(id, secret, 'debian')).rejects.toMatchObject({ code: 'agent.token-refused' })
  const another = await tokens.issue()
  expect(await tokens.redeem(another.id, another.secret, 'other')).not.toBe(simHostId)
  await db.destroy()
})
