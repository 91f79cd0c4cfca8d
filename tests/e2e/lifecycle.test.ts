import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type Answer, type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

let engine: TestEngine
let gantry: Gantry
let demo: Session
let admin: Session
beforeAll(async () => {
  // Without live-restore a restart of the engine ends every container, as a restart of the machine does.
  engine = await startEngine({ liveRestore: false })
  await loadBusybox(engine.socket)
  gantry = await startGantry({ engine })
  demo = await gantry.logIn('demo')
  admin = await gantry.logIn('admin')
})
afterAll(async () => {
  // First the engine: as it ends its containers it asks the agent to take their interfaces back.
  await engine.stop()
  await gantry[Symbol.asyncDispose]()
})

const sleeper = (name: string, more: object = {}) => ({
  name,
  image: 'busybox:latest',
  command: ['sleep', '1000'],
  cpu: 0.1,
  memory: '16',
  ...more,
})

async function run(name: string, more: object = {}): Promise<string> {
  const created = await demo.zun('POST', '/containers?run=true', sleeper(name, more))
  expect(created.status, created.text).toBe(202)
  return created.json.uuid
}

const running = async (name: string, more: object = {}) => {
  const uuid = await run(name, more)
  const container = await demo.waitFor(uuid, ({ status }) => status === 'Running' || status === 'Error')
  expect(container.status, container.status_reason ?? '').toBe('Running')
  return uuid
}

const field = (answer: Answer, name: string) => (answer.json as unknown as Record<string, unknown>)[name]

async function ping(from: string, to: string): Promise<number> {
  const command = encodeURIComponent(`ping -c 1 -W 2 ${to}`)
  const answer = await demo.zun('POST', `/containers/${from}/execute?command=${command}`)
  return Number(field(answer, 'exit_code'))
}

describe('what a container lives through', () => {
  test('a restart of the engine: those with a restart policy come back with their network, the others are Stopped', async () => {
    const lasting = await running('lasting', { restart_policy: { Name: 'always' } })
    const neighbour = await running('neighbour', { restart_policy: { Name: 'unless-stopped' } })
    const plain = await running('plain')
    expect(await ping(lasting, 'neighbour')).toBe(0)
    const before = field(await demo.zun('GET', `/containers/${lasting}`), 'addresses')
    await engine.restart()
    await demo.waitFor(plain, ({ status }) => status === 'Stopped')
    for (const uuid of [lasting, neighbour]) await demo.waitFor(uuid, ({ status }) => status === 'Running')
    const after = await demo.zun('GET', `/containers/${lasting}`)
    expect(field(after, 'addresses')).toEqual(before)
    expect(await ping(lasting, 'neighbour')).toBe(0)
  })

  test('healing: one that vanished from the engine is made again if it asked for that', async () => {
    const uuid = await running('healed', { auto_heal: true })
    await engine.docker('rm', '-f', `gantry-${uuid}`)
    const made = async () => (await engine.docker('ps', '-q', '--filter', `name=gantry-${uuid}`)) !== ''
    const end = Date.now() + 30_000
    while (!(await made())) {
      expect(Date.now(), 'it is not made again').toBeLessThan(end)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await demo.waitFor(uuid, ({ status }) => status === 'Running')
    expect(await ping(uuid, 'healed')).toBe(0)
  })

  test('health: it shows in status_detail and among the events of the project', async () => {
    const events = new AbortController()
    const stream = await fetch(`${gantry.api}/v1/events`, {
      headers: { 'x-auth-token': demo.token },
      signal: events.signal,
    })
    let heard = ''
    const listening = (async () => {
      for await (const chunk of stream.body ?? []) heard += Buffer.from(chunk).toString()
    })().catch(() => undefined)
    const uuid = await running('checked', {
      healthcheck: { cmd: 'test ! -e /sick', interval: 1, timeout: 5, retries: 1 },
    })
    const detail = (word: string) =>
      demo.waitFor(uuid, (container) => String((container as { status_detail?: string }).status_detail).includes(word))
    await detail('(healthy)')
    await demo.zun('POST', `/containers/${uuid}/execute?command=${encodeURIComponent('touch /sick')}`)
    await detail('(unhealthy)')
    expect(heard).toContain('unhealthy')
    events.abort()
    await listening
  })

  test('auto_remove: it is gone when its process ends, and its actions can still be read', async () => {
    const uuid = await run('once', { auto_remove: true, command: ['true'] })
    const end = Date.now() + 60_000
    while ((await demo.zun('GET', `/containers/${uuid}`)).status !== 404) {
      expect(Date.now()).toBeLessThan(end)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const actions = await demo.zun('GET', `/containers/${uuid}/container_actions`)
    expect(actions.status).toBe(200)
    expect(actions.text).toContain('"create"')
    const stranger = await gantry.newTenant('audit-stranger')
    expect((await stranger.zun('GET', `/containers/${uuid}/container_actions`)).status).toBe(404)
  })
})

describe('what an administrator decides', () => {
  test('16 creates at once with room for 5 admit exactly 5', async () => {
    const tenant = await gantry.newTenant('crowded')
    const put = await admin.zun('PUT', `/quotas/${tenant.projectId}`, { containers: 5 })
    expect(put.status, put.text).toBe(200)
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => tenant.zun('POST', '/containers', sleeper(`crowd-${index}`))),
    )
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(11)
    const { json } = await tenant.zun('GET', '/containers')
    const list = (json as unknown as { containers: { uuid: string }[] }).containers
    expect(list).toHaveLength(5)
    for (const { uuid } of list) await tenant.zun('DELETE', `/containers/${uuid}?stop=True`)
  })

  test.each([
    ['disable', 'disabled_reason=repair', 'disabled by an administrator'],
    ['force_down', 'forced_down=True', 'not connected'],
  ])('%s: nothing new is placed on the host, and enabling it again helps', async (verb, more, reason) => {
    const { json } = await admin.zun('GET', '/services')
    const [service] = (json as unknown as { services: { host: string; binary: string }[] }).services
    const at = `host=${service?.host}&binary=${service?.binary}`
    expect((await admin.zun('PUT', `/services/${verb}?${at}&${more}`)).status).toBe(200)
    const uuid = await run(`refused-${verb}`)
    if (verb === 'disable') {
      const refused = await demo.waitFor(uuid, ({ status }) => status === 'Error')
      expect(refused.status_reason).toContain(reason)
    }
    const back = verb === 'disable' ? `enable?${at}` : `force_down?${at}&forced_down=False`
    expect((await admin.zun('PUT', `/services/${back}`)).status).toBe(200)
    if (verb === 'disable') await demo.zun('POST', `/containers/${uuid}/rebuild`)
    await demo.waitFor(uuid, ({ status }) => status === 'Running')
  })
})
