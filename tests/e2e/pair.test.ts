import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'
import { loadPair } from '../fixtures/pair-image.ts'

const run = promisify(execFile)

let gantry: Gantry
let demo: Session
beforeAll(async () => {
  gantry = await startGantry()
  await loadPair((...args) => gantry.engine.docker(...args))
  demo = await gantry.logIn('demo')
}, 600_000)
afterAll(() => gantry[Symbol.asyncDispose]())

/** The page as somebody beside the cloud sees it, through a floating IP. */
async function page(address: string): Promise<string> {
  const end = Date.now() + 60_000
  for (;;) {
    const curl = ['curl', '-sS', '--max-time', '10', `http://${address}/`]
    const answer = await run('nsenter', [`--net=${gantry.engine.netns}`, ...curl]).catch((error: Error) => error)
    if (!(answer instanceof Error) && answer.stdout.includes('Welcome')) return answer.stdout
    if (Date.now() > end) throw new Error(`no welcome: ${answer instanceof Error ? answer.message : answer.stdout}`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

async function floatingIpOf(container: string): Promise<string> {
  const { stdout, stderr, code } = await gantry.cli(['floating-ip', 'create', '--container', container, '--json'])
  expect(code, stderr).toBe(0)
  return (JSON.parse(stdout) as { address: string }).address
}

/** Somebody outside may open the page. */
async function openWeb(): Promise<void> {
  for (const args of [
    ['secgroup', 'create', 'web'],
    ['secgroup', 'rule', 'add', 'web', '--ingress', 'tcp', '80'],
  ]) {
    const { code, stderr } = await gantry.cli(args)
    expect(code, stderr).toBe(0)
  }
}

const openstack = (line: string) => gantry.openstack(...line.split(' '))

const web = (name: string, host: string) =>
  openstack(
    `appcontainer run --name ${name} --security-group web --security-group default --environment WORDPRESS_DB_HOST=${host} ` +
      '--environment WORDPRESS_DB_USER=root --environment WORDPRESS_DB_PASSWORD=rootpass --wait wordpress:latest',
  )

const database = () =>
  openstack(
    'appcontainer run --name mydb --environment MYSQL_DATABASE=wordpress --environment MYSQL_ROOT_PASSWORD=rootpass ' +
      '--environment MYSQL_DATA=/data/mysql --mount source=data,destination=/data --wait mysql:latest',
  )

describe('a database and the web application that needs it', () => {
  test('started as the guides do, the second reaches the first by address and by name, and its data outlives it', async () => {
    await openWeb()
    const volume = await gantry.cli(['volume', 'create', '--size', '1', 'data'])
    expect(volume.code, volume.stderr).toBe(0)
    await database()
    const { json } = await demo.zun('GET', '/containers/mydb')
    const addresses = Object.values((json as unknown as { addresses: Record<string, { addr: string }[]> }).addresses)
    const address = addresses.flat()[0]?.addr ?? ''
    expect(address).toMatch(/^10\./)

    await web('byaddress', address)
    expect(await page(await floatingIpOf('byaddress'))).toBe('Welcome. Visits: 1')
    await web('byname', 'mydb')
    expect(await page(await floatingIpOf('byname'))).toBe('Welcome. Visits: 2')

    await openstack('appcontainer delete --stop --wait mydb')
    await database()
    const list = await gantry.cli(['floating-ip', 'list', '--json'])
    const all = JSON.parse(list.stdout) as { address: string }[] | { floatingIps: { address: string }[] }
    const second = (Array.isArray(all) ? all : all.floatingIps)[1]?.address ?? ''
    expect(await page(second)).toBe('Welcome. Visits: 3')
  }, 300_000)
})
