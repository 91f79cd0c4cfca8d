import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Gantry, publishImage, startGantry } from '../fixtures/gantry.ts'
import { loadSsh } from '../fixtures/ssh-image.ts'

/**
 * The demonstration of the containers service that OpenStack's community proposed in 2014: an ssh server on a public
 * address, first by the docker command line, then by osc.
 */
const run = promisify(execFile)
const apps = new URL('../../apps/cli/src', import.meta.url).pathname

let gantry: Gantry
let home: string
beforeAll(async () => {
  gantry = await startGantry()
  home = await mkdtemp('/tmp/gantry-ssh-user-')
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(home, 'key')])
  await loadSsh((...args) => gantry.engine.docker(...args), 'foo:latest', await readFile(join(home, 'key.pub'), 'utf8'))
  await publishImage(await gantry.logIn('admin'), 'foo:latest')
}, 600_000)
afterEach(async () => {
  await shell('ids=$(gantry docker ps -aq); [ -z "$ids" ] || gantry docker rm -f $ids')
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

/** What a script prints in the shell of a user beside the openrc; rejects with its stderr. */
async function shell(script: string): Promise<string> {
  const programs = ['gantry', 'osc'].map((name) => {
    return `${name}() { '${process.execPath}' '${apps}/${name === 'gantry' ? 'main' : name}.ts' "$@"; }`
  })
  const begin = [...programs, 'source ./openrc', `export DOCKER_SERVER=${gantry.dockerTlsUrl}`]
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, GANTRY_HOME: gantry.home }
  const text = ['set -eo pipefail', ...begin, script].join('\n')
  const { stdout } = await run('bash', ['-c', text], { env, cwd: gantry.home, timeout: 120_000 })
  return stdout.trim()
}

/** What a command in there prints, asked by somebody beside the cloud. */
async function ssh(address: string, command: string): Promise<string> {
  const options = ['BatchMode=yes', 'ConnectTimeout=5', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null']
  const login = ['ssh', '-F', 'none', '-q', '-i', join(home, 'key'), ...options.flatMap((each) => ['-o', each])]
  const words = [`--net=${gantry.engine.netns}`, ...login, '-p', '222', `root@${address}`, command]
  const said = await run('nsenter', words, { timeout: 30_000 }).catch((error: Error) => error)
  return said instanceof Error ? said.message : said.stdout.trim()
}

/** The server in there takes a moment to listen. */
const soon = { timeout: 60_000, interval: 500 }

test('docker run starts an ssh server on a public address, and ssh gets in', async () => {
  const id = await shell('gantry docker run -p pub:222:22 -d foo /usr/sbin/sshd -D')
  expect(id).toMatch(/^[0-9a-f]{64}$/)
  const [, address = ''] = /^22\/tcp -> ([\d.]+):222$/m.exec(await shell(`gantry docker port ${id}`)) ?? []
  expect(address).toMatch(/^172\.24\.4\.\d+$/)
  const ports = await shell(`gantry docker inspect -f '{{json .NetworkSettings.Ports}}' ${id}`)
  expect(JSON.parse(ports)).toEqual({ '22/tcp': [{ HostIp: address, HostPort: '222' }] })
  const name = await shell(`gantry docker inspect -f '{{slice .Name 1}}' ${id}`)
  expect(await shell(`gantry show ${name}`)).toMatch(new RegExp(`^Ports +${address}:222->22/tcp$`, 'm'))
  // As an engine does, where no --hostname is given.
  await expect.poll(() => ssh(address, 'hostname'), soon).toBe(id.slice(0, 12))
  // What the service keeps back is no loss to who logs in: new privileges, and raw sockets (bit 13 of the capabilities).
  const status = await ssh(address, 'echo "$(</proc/self/status)"')
  expect(status).toMatch(/^NoNewPrivs:\s1$/m)
  expect(Number.parseInt(/^CapBnd:\s(\w+)$/m.exec(status)?.[1] ?? '', 16) & 0x2000).toBe(0)

  const next = shell('gantry docker run --name next -p pub:222:22 -d foo /usr/sbin/sshd -D')
  await expect(next).rejects.toThrow('port is already allocated')
  const other = shell('osc container-create --name other --port pub:222:22 --daemon --image foo --cmd "sleep 9"')
  await expect(other).rejects.toThrow('port is already allocated')
  // Docker keeps one that could not start for another try; osc, which has told no id, leaves nothing.
  expect(await shell("gantry docker ps -a --format '{{.Names}} {{.State}}'")).toBe(`next created\n${name} running`)
  expect(await ssh(address, 'hostname')).toBe(id.slice(0, 12))
}, 240_000)

test('osc container-create takes the id of an image, and container-show tells where it is reached', async () => {
  const image = await shell(
    `gantry images search --exact foo --json | node -e 'console.log(JSON.parse(fs.readFileSync(0))[0].id)'`,
  )
  expect(image).toMatch(/^[0-9a-f-]{36}$/)
  const id = await shell(`osc container-create --port pub:222:22 --daemon --image ${image} --cmd "/usr/sbin/sshd -D"`)
  expect(id).toMatch(/^[0-9a-f]{64}$/)
  const [, address = ''] = /^ports: \[([\d.]+):222\]$/.exec(await shell(`osc container-show ${id} | grep ports`)) ?? []
  expect(address).toMatch(/^172\.24\.4\.\d+$/)
  expect(await shell(`osc container-show ${id.slice(0, 8)} | grep ports`)).toBe(`ports: [${address}:222]`)
  await expect.poll(() => ssh(address, 'hostname'), soon).toBe(id.slice(0, 12))
  await shell(`osc container-delete ${id}`)
  expect(await shell('osc container-list --all')).not.toContain(id.slice(0, 12))
  await expect.poll(() => ssh(address, 'hostname'), soon).toContain('Command failed')
}, 240_000)

test('without the token or without the project it is 401, in the shape of Docker', async () => {
  const { token, projectId } = await gantry.logIn('demo')
  const both = { 'X-Auth-Token': token, 'X-Auth-Project-Id': projectId }
  const curl = async (headers: Record<string, string>) => {
    const words = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
    const format = ['-sS', '--noproxy', '*', '--max-time', '20', '-w', '\n%{http_code} %{content_type}']
    const { stdout } = await run('curl', [...format, ...words, `${gantry.dockerUrl}/v1.44/containers/json`])
    const [body = '', status] = stdout.split('\n').filter(Boolean)
    return { status, body: JSON.parse(body) as unknown }
  }
  expect(await curl(both)).toEqual({ status: '200 application/json', body: [] })
  for (const name of Object.keys(both)) {
    const kept = Object.fromEntries(Object.entries(both).filter(([each]) => each !== name))
    const { status, body } = await curl(kept)
    expect(status, name).toMatch(/^401 application\/json/)
    expect(body).toEqual({ message: expect.stringContaining(name) })
  }
}, 60_000)
