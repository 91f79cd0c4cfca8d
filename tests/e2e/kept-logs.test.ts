import { execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

/** What a container prints is kept within bounds, on the disk of its host and towards whoever reads it late. */
let gantry: Gantry
let demo: Session

beforeAll(async () => {
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
})
afterAll(() => gantry?.[Symbol.asyncDispose]())

const line = 'x'.repeat(99)
/** 30 MB. */
const printing = `yes ${line} | head -n 300000; echo the end; sleep 1000`

test('a container that prints more than its logs hold keeps the last of it, and the disk keeps its space', async () => {
  const bounds = ['--log-opt', 'max-size=2m', '--log-opt', 'max-file=2']
  const made = await gantry.docker(['run', '-d', '--name', 'chatty', ...bounds, 'busybox', 'sh', '-c', printing])
  expect(made.code, made.stderr).toBe(0)
  const logs = async (...args: string[]) => (await gantry.docker(['logs', ...args, 'chatty'])).stdout
  await expect.poll(() => logs('--tail', '1'), { timeout: 60_000 }).toBe('the end\n')
  const kept = await logs()
  expect(kept.length).toBeGreaterThan(500_000)
  expect(kept.length).toBeLessThan(4 << 20)
  const native = await fetch(`${gantry.api}/v1/containers/chatty/logs`, { headers: { 'x-auth-token': demo.token } })
  expect((await native.text()).length).toBeLessThan(5 << 20)
  const files = execFileSync('find', [dirname(gantry.engine.socket), '-name', '*-json.log*', '-printf', '%s\\n'])
  const sizes = files.toString().trim().split('\n').map(Number)
  expect(sizes.length).toBeGreaterThan(1)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(5 << 20)
})

test('nobody asks for logs without a bound', async () => {
  for (const bound of ['max-size=-1', 'max-size=2g', 'max-file=11']) {
    const { code, stderr } = await gantry.docker(['run', '--log-opt', bound, 'busybox', 'true'])
    expect([bound, code, stderr]).toEqual([bound, 125, expect.stringContaining('max-size up to 1g, max-file up to 10')])
  }
})
