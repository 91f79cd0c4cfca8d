import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type ServedCloud, serveFakeCloud } from '@gantry/facade-native/testing'
import { describe, expect, onTestFinished, test } from 'vitest'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

async function gantry(cloud: ServedCloud, line: string, stdin = '') {
  const login = { OS_AUTH_URL: `http://127.0.0.1:${cloud.port}/identity/v3`, OS_TOKEN: 'demo-token' }
  const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', ...login }
  const child = spawn(process.execPath, [main, ...line.split(' ')], { env })
  child.stdin.end(stdin)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number | null, stdout, stderr }
}

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-cli-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** What it printed, of a command that must succeed. */
async function said(cloud: ServedCloud, line: string, stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await gantry(cloud, line, stdin)
  expect({ code, stderr }, line).toEqual({ code: 0, stderr: '' })
  return stdout.trim()
}

async function json(cloud: ServedCloud, line: string) {
  return JSON.parse(await said(cloud, `${line} --json`))
}

describe('networks', () => {
  test('are made with a subnet in one go, listed and deleted', async () => {
    await using cloud = await serveFakeCloud()
    const id = await said(cloud, 'network create shop --subnet 10.7.0.0/24 --gateway none --dns 10.7.0.53')
    expect(await json(cloud, 'subnet list --network shop')).toMatchObject([
      { networkId: id, name: 'shop', gateway: null, dnsServers: ['10.7.0.53'] },
    ])
    const table = await said(cloud, 'network list')
    expect(table).toMatch(/^ID +NAME +SUBNETS +KIND\n/)
    expect(table).toMatch(/ public +- +external\n.* shop +10\.7\.0\.0\/24 +own$/)
    expect(await said(cloud, 'network show shop')).toContain('10.7.0.0/24')
    expect(await said(cloud, 'network delete shop')).toBe('shop')
    const gone = await gantry(cloud, 'network show shop')
    expect(gone).toMatchObject({ code: 1, stdout: '' })
    expect(gone.stderr).toMatch(/^gantry: The network shop could not be found\. `gantry network list`/)
  })

  test('one whose subnet is refused is not left behind', async () => {
    await using cloud = await serveFakeCloud()
    expect(await gantry(cloud, 'network create shop --subnet ten')).toMatchObject({ code: 1, stdout: '' })
    expect(await json(cloud, 'network list')).toHaveLength(1)
  })

  test('containers are on them, at ports, and are plugged in and out', async () => {
    await using cloud = await serveFakeCloud()
    await said(cloud, 'network create shop --subnet 10.7.0.0/24')
    await said(cloud, 'network create back --subnet 10.8.0.0/24')
    const port = await said(cloud, 'port create shop --name p1 --ip 10.7.0.9 --unfiltered')
    const web = await said(cloud, 'run -d --name web --net port=p1 --net back,ip=10.8.0.5 nginx')
    expect(await json(cloud, 'show web')).toMatchObject({
      addresses: [{ port, address: '10.7.0.9' }, { address: '10.8.0.5' }],
    })
    expect(await said(cloud, 'ps')).toMatch(/10\.7\.0\.9,10\.8\.0\.5$/)
    expect(await said(cloud, 'port list --container web')).toContain(web)
    await said(cloud, 'network detach web back')
    expect(await said(cloud, 'network attach web back --ip 10.8.0.6')).toBe('10.7.0.9\n10.8.0.6')
    await said(cloud, 'port set p1 --filtered --name p2')
    expect(await json(cloud, 'port show p2')).toMatchObject({ filtered: true, deviceId: web })
  })
})

describe('security groups', () => {
  test('name each other, are shown in words, and take containers', async () => {
    await using cloud = await serveFakeCloud()
    await said(cloud, 'secgroup create web --description fronts')
    await said(cloud, 'secgroup create db')
    const rule = await said(cloud, 'secgroup rule add db tcp 5432 --from-group web')
    expect(await said(cloud, 'secgroup show db')).toMatch(/in +tcp 5432 from group web$/)
    expect(await said(cloud, 'secgroup rule remove db '.concat(rule))).toBe(rule)
    await said(cloud, 'run -d --name c1 --security-group db nginx')
    await said(cloud, 'secgroup join web c1')
    expect((await json(cloud, 'show c1')).securityGroups).toHaveLength(2)
    await said(cloud, 'secgroup leave web c1')
    expect((await gantry(cloud, 'secgroup leave web c1')).code).toBe(1)
  })
})

describe('routers and floating IPs', () => {
  test('a router is made with its way out and its subnets', async () => {
    await using cloud = await serveFakeCloud()
    await said(cloud, 'network create shop --subnet 10.7.0.0/24')
    await said(cloud, 'router create r1 --gateway public --subnet shop')
    expect(await json(cloud, 'router show r1')).toMatchObject({
      gateway: { snat: true },
      interfaces: [{ address: '10.7.0.1' }],
    })
    expect(await said(cloud, 'router list')).toMatch(/r1 +172\.24\.4\.\d+ +10\.7\.0\.1$/)
    await said(cloud, 'router detach r1 shop')
    expect(await said(cloud, 'router gateway r1 none')).toBe('none')
    expect((await json(cloud, 'router show r1')).interfaces).toEqual([])
    await said(cloud, 'router delete r1')
  })

  test('create --container does all', async () => {
    await using cloud = await serveFakeCloud()
    await said(cloud, 'run -d --name web nginx')
    const address = await said(cloud, 'floating-ip create --container web')
    expect(await said(cloud, 'floating-ip list')).toMatch(new RegExp(`^ADDRESS.*\n${address} +10\\.0\\.0\\.2 `))
    expect(await said(cloud, `floating-ip show ${address}`)).toContain((await json(cloud, 'show web')).id)
    await said(cloud, `floating-ip dissociate ${address}`)
    await said(cloud, `floating-ip forward ${address} 8080:80 --container web`)
    expect(await said(cloud, 'floating-ip list')).toContain('8080/tcp to 10.0.0.2:80')
    expect((await gantry(cloud, `floating-ip unforward ${address} 8080/udp`)).code).toBe(1)
    await said(cloud, `floating-ip unforward ${address} 8080`)
    expect(await said(cloud, `floating-ip associate ${address} --container web`)).toBe('10.0.0.2')
    await said(cloud, `floating-ip delete ${address}`)
    expect(await json(cloud, 'floating-ip list')).toEqual([])
  })
})

describe('volumes', () => {
  test('are made, mounted, kept in snapshots and made from them', async () => {
    await using cloud = await serveFakeCloud()
    const id = await said(cloud, 'volume create data --size 2')
    const folder = await aFolder()
    await writeFile(join(folder, 'conf'), 'a=b')
    const mounts = `--mount src=data,dst=/data,ro --mount size=1,target=/tmp/x --mount file=${folder}/conf,target=/etc/conf`
    await said(cloud, `run -d --name db ${mounts} postgres`)
    expect((await json(cloud, 'show db')).mounts).toMatchObject([
      { volumeId: id, destination: '/data', readOnly: true },
      { destination: '/tmp/x', readOnly: false },
      { kind: 'file', destination: '/etc/conf', size: 3 },
    ])
    expect(await said(cloud, 'volume list')).toMatch(/ data +2 GiB +in-use +local +db/)
    expect(await said(cloud, 'volume show data')).toMatch(/Mounted +db at \/data, read-only/)
    expect(await json(cloud, 'volume show data')).toMatchObject({ mounts: [{ containerName: 'db' }], host: null })
    await said(cloud, 'volume snapshot create data --name before')
    await said(cloud, 'volume create copy --snapshot before')
    expect((await gantry(cloud, 'volume delete data')).stderr).toMatch(/^gantry: The volume data is in use/)
    await said(cloud, 'rm -f db')
    expect(await said(cloud, 'volume delete data copy')).toBe('data\ncopy')
    expect(await said(cloud, 'volume snapshot delete before')).toBe('before')
    expect(await json(cloud, 'volume list')).toEqual([])
  }, 60_000)

  test('are extended, cloned, backed up and restored', async () => {
    await using cloud = await serveFakeCloud()
    const id = await said(cloud, 'volume create data --size 2 --backend cinder --type fast --multiattach --zone nova')
    expect(await json(cloud, 'volume show data')).toMatchObject({ backend: 'cinder', volumeType: 'fast' })
    expect(await said(cloud, 'volume show data')).toMatch(/For +several hosts/)
    expect(await said(cloud, 'volume extend data --size 4')).toBe(id)
    expect((await gantry(cloud, 'volume extend data --size 3')).stderr).toContain('It has 4 GiB already.')
    const clone = await json(cloud, 'volume create clone --from-volume data')
    expect(clone).toMatchObject({ size: 4, sourceVolumeId: id })
    const backup = await said(cloud, 'volume backup create data --name away')
    expect(await json(cloud, 'volume backup list')).toMatchObject([{ id: backup, volumeId: id, status: 'available' }])
    expect(await said(cloud, 'volume backup show away')).toMatch(/Size +4 GiB/)
    expect(await json(cloud, 'volume create back --backup away --size 5')).toMatchObject({ size: 5 })
    expect(await said(cloud, 'volume backup delete away')).toBe('away')
    expect(await said(cloud, 'volume backup list --json')).toBe('[]')
    expect(await said(cloud, 'run -d --name db --mount type=volume,source=data,target=/data postgres')).not.toBe('')
    expect(await json(cloud, 'volume show data')).toMatchObject({ mounts: [{ containerName: 'db' }] })
  }, 60_000)

  test('a file that is not there is said before anything is made', async () => {
    await using cloud = await serveFakeCloud()
    const { code, stderr } = await gantry(cloud, 'run --mount file=/nowhere/at/all,target=/x nginx')
    expect(code).toBe(2)
    expect(stderr).toMatch(/^gantry: \/nowhere\/at\/all cannot be read: ENOENT/)
    expect(cloud.containers.count()).toBe(0)
  })
})

describe('run', () => {
  test('--health-cmd and --expose reach the container', async () => {
    await using cloud = await serveFakeCloud()
    await said(cloud, 'run -d --name web --health-cmd true --health-retries 5 --expose 80 --expose 53/udp nginx')
    expect(await json(cloud, 'show web')).toMatchObject({
      healthcheck: { command: 'true', intervalSeconds: 30, timeoutSeconds: 30, retries: 5 },
    })
    const [container] = await cloud.control.containers.list(
      await cloud.verifier.verify('demo-token', 'req-1' as never),
      { allProjects: false, filters: {}, sortKey: 'created_at', descending: true, limit: 1, marker: null },
    )
    expect(container?.spec.exposedPorts).toEqual(['80/tcp', '53/udp'])
  })
})

describe('capsules', () => {
  const yaml = 'metadata: {name: shop}\nspec:\n  containers:\n    - image: nginx\n      env: {PORT: 80}\n'

  test('are made from YAML or JSON, shown with their containers, and deleted', async () => {
    await using cloud = await serveFakeCloud()
    const folder = await aFolder()
    await writeFile(join(folder, 'shop.yaml'), yaml)
    const id = await said(cloud, `capsule create -f ${folder}/shop.yaml`)
    await said(cloud, 'capsule create -f -', '{"metadata":{"name":"other"},"spec":{"containers":[{"image":"redis"}]}}')
    expect(await said(cloud, 'capsule list')).toMatch(/^ID +NAME +STATUS +CONTAINERS +ADDRESS +CREATED\n/)
    expect(await json(cloud, 'capsule show shop')).toMatchObject({ id, containers: [{ environment: { PORT: '80' } }] })
    expect(await said(cloud, 'capsule show shop')).toMatch(/CONTAINER +IMAGE +STATUS\nshop-0 +nginx +Running/)
    expect(await said(cloud, 'capsule delete shop other')).toBe('shop\nother')
    expect(await json(cloud, 'capsule list')).toEqual([])
  })

  test('what is wrong in a file is said', async () => {
    await using cloud = await serveFakeCloud()
    const broken = await gantry(cloud, 'capsule create -f -', 'spec: [')
    expect(broken.code).toBe(2)
    expect(broken.stderr).toMatch(/^gantry: - is neither YAML nor JSON: .* line 1, column \d+\.\n$/)
    const wrong = await gantry(cloud, 'capsule create -f -', 'spec: {containers: [{}]}')
    expect(wrong).toMatchObject({ code: 1, stdout: '' })
    expect(wrong.stderr).toBe('gantry: The capsule template is not valid: spec.containers[0].image is missing.\n')
  })
})
