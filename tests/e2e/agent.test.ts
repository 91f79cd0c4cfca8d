import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createOrLoadCa } from '@gantry/ca'
import { Fault } from '@gantry/kernel'
import type { Assignment, HostId, Observed } from '@gantry/model'
import { createRelay, FrameDecoder, type Frame, formatJoinToken, type Relay } from '@gantry/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { noteNetworks } from '../fixtures/engine-leftovers.ts'
import { anAssignment } from '../fixtures/host-bench.ts'

const hostId = 'host-1' as HostId
const tokenId = 'first'
const secret = 'a-secret-of-sixteen-or-more'
const assigned = new Map<string, Assignment>()
const observed: { id: string; observed: Observed }[] = []
let engine: TestEngine
let relay: Relay
let folder: string
let token: string
let tokens = 1

beforeAll(async () => {
  engine = await startEngine()
  await loadBusybox(engine.socket)
  noteNetworks(dirname(engine.socket), `e2e/${hostId}`)
  folder = await mkdtemp('/tmp/gantry-agent-')
  const ca = await createOrLoadCa(`${folder}/ca`)
  token = formatJoinToken({ fingerprint: ca.fingerprint, id: tokenId, secret })
  const log = { info: () => undefined, warn: () => undefined, error: console.error }
  relay = await createRelay({
    ...(await ca.issueServer(['127.0.0.1'])),
    listen: { host: '127.0.0.1', port: 0 },
    ca: ca.certificate,
    enrol: async (id, offered) => {
      if (id !== tokenId || offered !== secret || tokens < 1)
        throw new Fault('request.invalid', { problem: 'Token spent.' })
      tokens -= 1
      return { hostId, deployment: 'e2e' }
    },
    sign: (csr, id) => ca.signAgent(csr, id),
    log,
    reports: {
      connected: async () => ({ fabric: [], volumes: [], assignments: [...assigned.values()] }),
      disconnected: async () => undefined,
      observed: async (_host, id, seen) => void observed.push({ id, observed: seen }),
      step: async () => undefined,
      volume: async () => undefined,
      engine: async () => undefined,
    },
  })
})
afterAll(async () => {
  await relay.close()
  await engine.stop()
  await rm(folder, { recursive: true })
})

function startAgent(joinToken?: string): { agent: ChildProcess; text: () => string } {
  const { GANTRY_JOIN_TOKEN: _, ...env } = process.env
  const args = [
    '--server',
    `127.0.0.1:${relay.port}`,
    '--state',
    `${folder}/state`,
    '--engine',
    engine.url,
    '--engine-netns',
    engine.netns,
  ]
  const agent = fork(new URL('../../apps/agent/src/main.ts', import.meta.url), [...args, '--name', 'box'], {
    env: joinToken === undefined ? env : { ...env, GANTRY_JOIN_TOKEN: joinToken },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  })
  let text = ''
  for (const stream of [agent.stdout, agent.stderr]) stream?.on('data', (part: Buffer) => (text += part.toString()))
  return { agent, text: () => text }
}

const running = (id: string) =>
  expect.poll(() => observed.findLast((report) => report.id === id)?.observed.engine?.state, { timeout: 20_000 })

test('without a key and a token it says what it needs', async () => {
  const { agent, text } = startAgent()
  expect(await once(agent, 'exit')).toEqual([2, null])
  expect(text()).toContain('GANTRY_JOIN_TOKEN')
})

test('joins once, runs what it is assigned, survives being killed, and ends with its parent', async () => {
  const box = anAssignment()
  assigned.set(box.id, box)
  const first = startAgent(token)
  expect((await once(first.agent, 'message'))[0]).toEqual({ kind: 'ready' })
  await running(box.id).toBe('running')
  expect((await stat(`${folder}/state`)).mode & 0o777).toBe(0o700)
  expect((await stat(`${folder}/state/host.json`)).mode & 0o777).toBe(0o600)
  expect(first.text()).not.toContain(secret)

  const { output } = await relay.links.calls(hostId).exec(
    {
      id: box.id,
      command: ['sh', '-c', 'echo hi; exit 7'],
      environment: {},
      workdir: null,
      user: null,
      tty: false,
      stdin: false,
    },
    { signal: AbortSignal.timeout(20_000) },
  )
  const frames: Frame[] = await (output?.pipe(new FrameDecoder()).toArray() ?? [])
  expect(frames.map(({ kind, payload }) => [kind, payload.toString()])).toEqual([
    [1, 'hi\n'],
    [3, '{"exitCode":7}'],
  ])

  first.agent.kill('SIGKILL')
  await once(first.agent, 'exit')
  const other = anAssignment()
  assigned.set(other.id, other)
  const second = startAgent()
  await once(second.agent, 'message')
  await running(other.id).toBe('running')
  expect((await engine.docker('ps', '-q')).split('\n')).toHaveLength(2)

  second.agent.disconnect()
  expect(await once(second.agent, 'exit')).toEqual([0, null])
  expect((await engine.docker('ps', '-q')).split('\n')).toHaveLength(2)
})

test('a refused token ends it with a sentence', async () => {
  await rm(`${folder}/state`, { recursive: true })
  const { agent, text } = startAgent(token)
  expect(await once(agent, 'exit')).toEqual([1, null])
  expect(text()).toContain('Token spent.')
})
