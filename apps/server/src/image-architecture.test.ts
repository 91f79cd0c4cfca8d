import { defaultSpec } from '@gantry/model'
import { expect, test, vi } from 'vitest'
import { makeImage } from './testing/a-catalogue.ts'
import { ann, push } from './testing/a-registry.ts'
import { aCaller, aWorld } from './testing/a-world.ts'

test('an image for another architecture is placed on no host that cannot run it, and both ways to ask why say so', async () => {
  await using world = await aWorld()
  const { containers, registry } = world.control
  const repository = registry.repository(ann, `${ann.projectId}/app`)
  await push(repository, 'far', makeImage(['far'], 'riscv64'))
  await push(repository, 'near', makeImage(['near'], 'amd64'))
  const created = async (tag: string) => {
    const { id } = await containers.create(ann, { name: tag, spec: defaultSpec(`app:${tag}`), run: false })
    return vi.waitFor(async () => {
      const container = await containers.get(ann, id)
      if (container.hostId === null && container.placementFailure === null) throw new Error('not placed yet')
      return container
    })
  }
  const far = await created('far')
  const reasons = '1 of 1 is of another architecture than the image'
  expect(far).toMatchObject({ hostId: null, placementFailure: `No host fits: ${reasons}.` })
  const operator = aCaller('ops', ['admin'])
  expect(await world.control.hosts.explain(operator, far.id)).toMatchObject({
    fitting: 0,
    hosts: [{ refusals: ['of another architecture than the image'] }],
  })
  expect((await created('near')).placementFailure).toBeNull()
})
