import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

/**
 * What Heat's OS::Zun::Container and Horizon's zun-ui send, call after call, as raw HTTP against a real Gantry: neither is
 * installed here, but both talk the same way in every cloud.
 */
let gantry: Gantry
let demo: Session

beforeAll(async () => {
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
  for (const [number, name] of ['front', 'back'].entries()) {
    await demo.native('POST', '/networks', { name })
    await demo.native('POST', '/subnets', { network: name, cidr: `10.88.${number}.0/24` })
  }
})
afterAll(() => gantry?.[Symbol.asyncDispose]())

const at = (version: string) => (method: string, path: string, body?: unknown) =>
  demo.zun(method, path, body, { 'OpenStack-API-Version': `container ${version}` })
const pathOf = ({ json }: Answer) => `/containers/${json.uuid}`

/** Polls as Heat does, and fails where it would: on any status but the ones it knows. */
async function untilHeatIsDone(path: string): Promise<string> {
  let status = 'Creating'
  const look = async () => {
    const answer = await at('1.12')('GET', path)
    status = answer.json.status
    expect(['Creating', 'Created', 'Running', 'Stopped', 'Error'], answer.text).toContain(status)
    return status
  }
  await expect.poll(look, { timeout: 60_000 }).not.toMatch(/Creating|Created/)
  return status
}

describe('a stack', () => {
  test('at 1.12: create, update, networks, delete', async () => {
    const v12 = at('1.12')
    const v18 = at('1.18')
    const created = await v12('POST', '/containers/?run=true', {
      name: 'heat-one',
      image: 'busybox:latest',
      command: '"sleep" "1000"',
      cpu: 0.1,
      memory: 64,
      environment: { A: 'b' },
      labels: { stack: 'one' },
      image_driver: 'docker',
      interactive: false,
      hostname: 'heat-one',
      security_groups: [],
      mounts: [{ size: 1, destination: '/data' }],
      nets: [{ network: 'front', 'v4-fixed-ip': '10.88.0.50' }],
    })
    expect(created.status, created.text).toBe(202)
    const path = pathOf(created)
    expect(await untilHeatIsDone(path)).toBe('Running')
    const shown = (await v12('GET', path)).json as unknown as Record<string, unknown>
    expect(shown).toMatchObject({ command: ['sleep', '1000'], memory: '64', tty: false })
    expect(Object.values(shown['addresses'] as object).flat()).toMatchObject([{ addr: '10.88.0.50', version: 4 }])

    const patched = await v18('PATCH', path, { name: 'heat-new', cpu: 0.2, memory: 96 })
    expect(patched).toMatchObject({ status: 200, json: { name: 'heat-new', cpu: 0.2, memory: '96' } })
    expect(await untilHeatIsDone(path)).toBe('Running')

    const networks = async () => {
      const { json } = await v18('GET', `${path}/network_list`)
      return (json as unknown as { networks: HeatNetwork[] }).networks
    }
    const [first] = await networks()
    expect(first?.fixed_ips).toMatchObject([{ ip_address: '10.88.0.50' }])
    expect((await v18('POST', `${path}/network_detach?port=${first?.port_id}`)).status).toBe(202)
    await expect.poll(async () => (await networks()).length, { timeout: 30_000 }).toBe(0)
    expect((await v18('POST', `${path}/network_attach?network=back&fixed_ip=10.88.1.60`)).status).toBe(200)
    await expect
      .poll(async () => (await networks())[0]?.fixed_ips[0]?.ip_address, { timeout: 30_000 })
      .toBe('10.88.1.60')
    await demo.waitFor('heat-new', ({ task_state }) => task_state === null)
    const exec = await v18('POST', `${path}/execute?command=ip%20-o%20-4%20addr&run=True`)
    expect(exec.text).toContain('10.88.1.60')
    expect(exec.text).not.toContain('10.88.0.50')

    expect((await v12('DELETE', `${path}?stop=True`)).status).toBe(204)
    await expect.poll(async () => (await v12('GET', path)).status, { timeout: 60_000 }).toBe(404)
  })

  test('at 1.36, with a terminal, on a port of its own', async () => {
    const v36 = at('1.36')
    const made = await demo.native('POST', '/ports', { network: 'front', name: 'heat-port' })
    const { id: port } = made.json as unknown as { id: string }
    const created = await v36('POST', '/containers/?run=true', {
      image: 'busybox:latest',
      command: ['sleep', '1000'],
      tty: true,
      interactive: true,
      cpu: 0.1,
      memory: 64,
      security_groups: [],
      nets: [{ port }],
    })
    expect(created.status, created.text).toBe(202)
    const path = pathOf(created)
    expect(await untilHeatIsDone(path)).toBe('Running')
    expect((await v36('GET', path)).text).toContain(`"port":"${port}"`)
    expect((await at('1.12')('DELETE', `${path}?stop=True`)).status).toBe(204)
    await expect.poll(async () => (await at('1.12')('GET', path)).status, { timeout: 60_000 }).toBe(404)
    // The port was the user's and stays.
    expect((await demo.native('GET', `/ports/${port}`)).status).toBe(200)
    expect((await demo.native('DELETE', `/ports/${port}`)).status).toBeLessThan(300)
  })

  test('a command that ends at once is done, and one that cannot begin says why', async () => {
    const v12 = at('1.12')
    const body = { image: 'busybox:latest', cpu: 0.1, memory: 64, security_groups: [] }
    const ended = await v12('POST', '/containers/?run=true', { ...body, command: '"true"' })
    // Heat takes it for done either way; seen in the moment it ran, it is Running.
    expect(['Running', 'Stopped']).toContain(await untilHeatIsDone(pathOf(ended)))
    const broken = await v12('POST', '/containers/?run=true', { ...body, command: '"/no/such/program"' })
    expect(await untilHeatIsDone(pathOf(broken))).toBe('Error')
    expect((await v12('GET', pathOf(broken))).json.status_reason).toMatch(/no\/such\/program/)
    for (const one of [ended, broken]) {
      expect((await v12('DELETE', `${pathOf(one)}?stop=True`)).status).toBe(204)
      await expect.poll(async () => (await v12('GET', pathOf(one))).status, { timeout: 60_000 }).toBe(404)
    }
  })
})

interface HeatNetwork {
  readonly net_id: string
  readonly port_id: string
  readonly fixed_ips: readonly { readonly ip_address: string }[]
}

test('zun-ui: what its pages ask for', async () => {
  const ui = at('1.40')
  const created = await ui('POST', '/containers/?run=true', {
    name: 'ui-one',
    image: 'busybox:latest',
    command: ['sleep', '1000'],
    cpu: 0.1,
    memory: '64',
    auto_remove: false,
    restart_policy: { Name: 'no', MaximumRetryCount: 0 },
    nets: [],
    mounts: [],
    interactive: true,
    hints: {},
  })
  expect(created.status, created.text).toBe(202)
  const path = pathOf(created)
  await demo.waitFor('ui-one', ({ status }) => status === 'Running')
  const shown = (await ui('GET', path)).json as unknown as Record<string, unknown>
  expect(shown['memory']).toBe('64')
  expect((await ui('PATCH', path, { name: 'ui-two', memory: '96' })).json).toMatchObject({ memory: '96' })
  for (const [method, call, status] of [
    ['GET', `${path}/logs`, 200],
    ['POST', `${path}/execute?command=true&run=True&interactive=False`, 200],
    ['GET', `${path}/attach`, 200],
    ['POST', `${path}/resize?w=80&h=24`, 200],
    ['GET', '/availability_zones', 200],
    ['GET', '/capsules/', 200],
    ['GET', '/images/', 200],
    ['GET', '/hosts/', 403],
  ] as const) {
    expect((await ui(method, call)).status, call).toBe(status)
  }
  for (const [action, status] of [
    ['pause', 'Paused'],
    ['unpause', 'Running'],
    ['kill?signal=SIGKILL', 'Stopped'],
    ['start', 'Running'],
    ['reboot?timeout=1', 'Running'],
    ['stop?timeout=1', 'Stopped'],
    ['rebuild', 'Running'],
  ] as const) {
    expect((await ui('POST', `${path}/${action}`)).status, action).toBe(202)
    await demo.waitFor('ui-two', (one) => one.status === status && one.task_state === null)
  }
  expect((await ui('DELETE', `${path}?force=False&stop=True`)).status).toBe(204)
  await expect.poll(async () => (await ui('GET', path)).status, { timeout: 60_000 }).toBe(404)
  const template = {
    capsuleVersion: 'beta',
    kind: 'capsule',
    metadata: { name: 'ui-capsule' },
    spec: { containers: [{ image: 'busybox:latest', command: ['sleep', '1000'] }] },
  }
  const capsule = await ui('POST', '/capsules/', { template: JSON.stringify(template) })
  expect(capsule.status, capsule.text).toBe(202)
  const capsulePath = `/capsules/${capsule.json.uuid}`
  await expect
    .poll(async () => (await ui('GET', capsulePath)).json.status, { timeout: 60_000 })
    .toMatch(/Running|Error/)
  expect((await ui('GET', capsulePath)).json).toMatchObject({ name: 'ui-capsule', status: 'Running' })
  expect((await ui('DELETE', capsulePath)).status).toBe(204)
  await expect.poll(async () => (await ui('GET', capsulePath)).status, { timeout: 60_000 }).toBe(404)
})
