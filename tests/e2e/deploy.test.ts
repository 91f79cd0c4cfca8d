import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** What `deploy/` gives to operators, read by the programs that it is for. */
const run = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname
const deploy = join(root, 'deploy')

let machine: string
beforeAll(async () => {
  machine = await mkdtemp('/tmp/gantry-machine-')
  await run('sh', [join(deploy, 'install.sh'), machine])
})
afterAll(() => rm(machine, { recursive: true, force: true }))

test('a machine gets programs that run, settings that they read, and keeps what its operator has changed', async () => {
  const lib = join(machine, 'usr/lib/gantry')
  expect((await readdir(lib)).sort()).toEqual([
    'agent.mjs',
    'dashboard',
    'fuxi.mjs',
    'gantry.mjs',
    'kuryr.mjs',
    'node',
    'server.mjs',
  ])
  expect(await readdir(join(lib, 'dashboard'))).toContain('index.html')
  for (const name of ['server', 'agent']) {
    const { stdout } = await run(join(lib, 'node'), [join(lib, `${name}.mjs`), '--version'], { env: {} })
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  }
  // Everything in it is understood; what it lacks is what only the operator knows.
  const agent = run(join(lib, 'node'), [join(lib, 'agent.mjs'), '--config', join(machine, 'etc/gantry/agent.yaml')])
  await expect(agent).rejects.toThrow('Which servers? Give --join')
  const mine = join(machine, 'etc/gantry/server.yaml')
  await writeFile(mine, 'home: /mine\n')
  await run('sh', [join(deploy, 'install.sh'), machine])
  expect(await readFile(mine, 'utf8')).toBe('home: /mine\n')
})

test('systemd understands every word of the units', async () => {
  const units = (await readdir(join(deploy, 'systemd'))).filter((name) => name.endsWith('.service'))
  expect(units).toHaveLength(4)
  // The units that ours are ordered by.
  await run('cp', ['-an', '/usr/lib/systemd/system/.', join(machine, 'usr/lib/systemd/system')])
  const { stderr } = await run('systemd-analyze', ['verify', '--man=no', `--root=${machine}`, ...units])
  expect(stderr).toBe('')
})

test('HAProxy takes the configuration, and compose takes the file', async () => {
  const folder = join(machine, 'haproxy')
  await mkdir(folder)
  const [key, crt] = [join(folder, 'key.pem'), join(folder, 'ca.pem')]
  const subject = ['-subj', '/CN=localhost', '-keyout', key, '-out', crt]
  await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...subject])
  await writeFile(join(folder, 'cloud.pem'), (await readFile(crt, 'utf8')) + (await readFile(key, 'utf8')))
  const text = await readFile(join(deploy, 'haproxy/haproxy.cfg'), 'utf8')
  const file = join(folder, 'haproxy.cfg')
  await writeFile(file, text.replaceAll('/etc/haproxy', folder))
  expect((await run('haproxy', ['-c', '-f', file])).stdout).toContain('Configuration file is valid')
  const env = { ...process.env, POSTGRES_PASSWORD: 'secret' }
  const compose = join(deploy, 'compose/compose.yaml')
  const { stdout } = await run('docker-compose', ['-f', compose, '--profile', 'host', 'config', '--services'], { env })
  expect(stdout.trim().split('\n').sort()).toEqual(['agent', 'db', 'haproxy', 'server1', 'server2'])
})

test('the scripts are such that shellcheck has nothing to say', async () => {
  const scripts = ['install.sh', 'image/build.sh'].map((name) => join(deploy, name))
  for (const script of scripts) await access(script)
  await run('shellcheck', ['-x', ...scripts], { cwd: root })
})
