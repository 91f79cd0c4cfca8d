import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld, simHostId } from './testing/a-world.ts'

test('a capsule that waited for a host when its server died gets one from the next server', async () => {
  await using world = await aWorld()
  const owner = aCaller('p1')
  const { capsule } = await world.control.capsules.create(owner, {
    name: 'pod',
    labels: {},
    annotations: {},
    restartPolicy: 'always',
    availabilityZone: null,
    containers: [{ spec: defaultSpec('busybox'), mounts: [] }],
    initContainers: [],
  })
  await world.host.idle()
  // As if it had died between the answer and the choice of a host.
  for (const { id } of await world.store.capsules.members(capsule.id)) {
    await world.store.containers.update(id, { hostId: null, hostName: null })
  }
  await world.store.capsules.update(capsule.id, { hostId: null })
  await world.restart()
  const hostOf = async () => (await world.control.capsules.get(owner, capsule.id)).capsule.hostId
  await expect.poll(hostOf).toBe(simHostId)
  await world.host.idle()
})
