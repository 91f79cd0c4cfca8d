import { PassThrough } from 'node:stream'
import { defaultSpec } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import { expect, test } from 'vitest'
import { aCaller, aWorld } from './testing/a-world.ts'

const options = { stdout: true, stderr: true, timestamps: false, follow: true, tail: null, since: null }

test('a project that opens streams without end is refused, others are not, and ended ones make room', async () => {
  const opened: PassThrough[] = []
  let refusing = false
  const logs: AgentCalls['logs'] = async () => {
    if (refusing) throw new Error('no')
    const output = new PassThrough()
    opened.push(output)
    return { reply: { framed: false }, output }
  }
  await using world = await aWorld({ calls: { logs } })
  const { containers } = world.control
  for (const project of ['p1', 'p2']) {
    await containers.create(aCaller(project), { name: 'web', spec: defaultSpec('busybox'), run: true })
  }
  await world.host.idle()
  const { signal } = new AbortController()
  const open = (project: string) => containers.logs(aCaller(project), 'web', options, signal)
  for (let count = 0; count < 200; count += 1) await open('p1')
  await expect(open('p1')).rejects.toMatchObject({ code: 'project.busy', retry: true })
  await open('p2')
  const [first] = opened
  first?.destroy()
  await expect.poll(() => open('p1').then(() => 'open')).toBe('open')
  await expect(open('p1')).rejects.toMatchObject({ code: 'project.busy' })
  for (const stream of opened) stream.destroy()
  await new Promise((resolve) => setImmediate(resolve))
  // Calls that fail must not be counted for ever.
  refusing = true
  for (let count = 0; count < 210; count += 1) await expect(open('p1')).rejects.toThrow('no')
})
