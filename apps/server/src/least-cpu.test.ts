import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld } from './testing/a-world.ts'

const me = aCaller()

test.each([1e-12, 1e-320, 0.009])(
  'a share of %s cores, which an engine would take for no limit, is refused',
  async (cpu) => {
    await using world = await aWorld()
    const { containers } = world.control
    const input = { name: 'web', spec: { ...defaultSpec('busybox'), cpu }, run: true }
    await expect(containers.create(me, input)).rejects.toMatchObject({ code: 'request.invalid' })
    await containers.create(me, { ...input, spec: { ...input.spec, cpu: 0.01 } })
    await world.host.idle()
    await expect(containers.update(me, 'web', { cpu })).rejects.toMatchObject({ code: 'request.invalid' })
  },
)
