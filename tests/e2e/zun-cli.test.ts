import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runClient } from '../fixtures/client-forks.ts'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

/** The older command line of the same client, `zun`: its verbs, and what `openstack` does not have. */
let gantry: Gantry
let demo: Session
let folder: string

beforeAll(async () => {
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
  folder = await mkdtemp('/tmp/gantry-zun-cli-')
  // The oldest network of the project is the one that containers get unasked.
  for (const [number, name] of ['front', 'back'].entries()) {
    await demo.native('POST', '/networks', { name })
    await demo.native('POST', '/subnets', { network: name, cidr: `10.99.${number}.0/24` })
  }
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function zun(line: string, user: 'demo' | 'admin' = 'demo'): Promise<string> {
  const { PATH = '', HOME = '/root' } = process.env
  const env = { PATH, HOME, LANG: 'C.UTF-8', ...(await gantry.env(user)) }
  const { stdout, stderr } = await runClient('zun', line.split(' '), { env, cwd: folder })
  return `${stdout}${stderr}`
}
const accepted = /has been accepted/
const settled = (name: string, status: string) =>
  demo.waitFor(name, (one) => one.status === status && one.task_state === null)

test('versions', async () => {
  expect(await zun('version-list')).toMatch(/v1.*CURRENT.*1\.1.*1\.40/)
})

test('a container from create to delete', async () => {
  expect(await zun('create --name one --cpu 0.1 -m 32 busybox:latest sleep 1000')).toMatch(/status +\| Creating/)
  await settled('one', 'Created')
  for (const [line, status] of [
    ['start one', 'Running'],
    ['pause one', 'Paused'],
    ['unpause one', 'Running'],
    ['stop -t 1 one', 'Stopped'],
    ['restart -t 1 one', 'Running'],
    ['kill one', 'Stopped'],
    ['rebuild one', 'Running'],
  ] as const) {
    expect(await zun(line), line).toMatch(accepted)
    await settled('one', status)
  }
  expect(await zun('exec one echo hi')).toContain('hi')
  expect(await zun('stats one')).toContain('MEM %')
  expect(await zun('update --cpu 0.2 -m 48 one')).toMatch(/memory +\| 48/)
  await settled('one', 'Running')
  expect(await zun('--zun-api-version 1.13 rename one two')).not.toMatch(/ERROR/)
  expect(await zun('show two')).toMatch(/name +\| two/)
  expect(await zun('list')).toMatch(/two.*busybox:latest.*Running/)
  await writeFile(join(folder, 'file'), 'x')
  expect(await zun('cp file two:/tmp')).not.toMatch(/ERROR/)
  expect(await zun('commit two saved:v2')).toMatch(accepted)
  expect(await zun('action-list two')).toContain('rebuild')
})

test('its networks, with what 1.14 still has', async () => {
  expect(await zun('network-attach --network back two')).toMatch(accepted)
  await settled('two', 'Running')
  expect(await zun('network-list two')).toContain('10.99.1.')
  expect(await zun('network-detach --network back two')).toMatch(accepted)
  await settled('two', 'Running')
  await demo.native('POST', '/security-groups', { name: 'extra' })
  expect(await zun('--zun-api-version 1.14 add-security-group two extra')).toMatch(accepted)
  await settled('two', 'Running')
  expect(await zun('--zun-api-version 1.14 remove-security-group two extra')).toMatch(accepted)
  await settled('two', 'Running')
  expect(await zun('delete --stop two')).toMatch(accepted)
})

describe('the rest', () => {
  test('administration', async () => {
    expect(await zun('service-list', 'admin')).toMatch(/test-host.*zun-compute/)
    expect(await zun('service-force-down test-host zun-compute', 'admin')).toMatch(/forced_down +\| True/)
    expect(await zun('service-force-down --unset test-host zun-compute', 'admin')).toMatch(/forced_down +\| False/)
    expect(await zun('service-disable --reason why test-host zun-compute', 'admin')).toMatch(/disabled +\| True/)
    expect(await zun('service-enable test-host zun-compute', 'admin')).toMatch(/disabled +\| False/)
    expect(await zun('host-list', 'admin')).toContain('test-host')
    expect(await zun('host-show test-host', 'admin')).toContain('kernel_version')
    expect(await zun('availability-zone-list')).toContain('nova')
    expect(await zun('image-list', 'demo')).toContain('saved')
    expect(await zun('image-search saved')).toContain('saved')
    expect(await zun(`quota-get ${demo.projectId}`)).toMatch(/containers +\| 40/)
    expect(await zun(`quota-defaults ${demo.projectId}`)).toMatch(/containers +\| 40/)
    expect(await zun(`quota-update --cpu 9 ${demo.projectId}`, 'admin')).toMatch(/cpu +\| 9/)
    expect(await zun(`quota-delete ${demo.projectId}`, 'admin')).not.toMatch(/ERROR/)
    expect(await zun('quota-class-get default', 'admin')).toMatch(/disk +\| 100/)
  })

  test('registries and capsules', async () => {
    expect(await zun('registry-create --name hub --domain hub.example.com')).toMatch(/domain +\| hub.example.com/)
    expect(await zun('registry-update --username you hub')).toMatch(/username +\| you/)
    expect(await zun('registry-list')).toContain('hub.example.com')
    expect(await zun('registry-delete hub')).not.toMatch(/ERROR/)
    const container = { image: 'busybox:latest', command: ['sleep', '1000'] }
    const template = { kind: 'capsule', metadata: { name: 'small' }, spec: { containers: [container] } }
    await writeFile(join(folder, 'capsule.json'), JSON.stringify(template))
    expect(await zun('capsule-create -f capsule.json')).toMatch(accepted)
    const status = async () => (await demo.zun('GET', '/capsules/small')).json.status
    await expect.poll(status, { timeout: 60_000 }).toMatch(/Running|Error/)
    expect(await zun('capsule-list')).toMatch(/small.*Running/)
    expect(await zun('capsule-describe small')).toMatch(/status +\| Running/)
    expect(await zun('capsule-delete small')).toMatch(accepted)
    await expect.poll(async () => (await demo.zun('GET', '/capsules/small')).status, { timeout: 60_000 }).toBe(404)
  })
})
