import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { archiveOf, imageParts } from '../fixtures/image-archive.ts'
import { type LoneServer, startLoneServer, type User } from '../fixtures/lone-server.ts'

/** The unmodified clients, through TLS that they verify: docker with its engine, skopeo, podman. */
let server: LoneServer
let engine: TestEngine
let demo: User
let folder = ''
let certificates = ''
let image = ''

/** Off the loopback interface, where clients would believe anybody. */
const address = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

beforeAll(async () => {
  if (address === undefined) throw new Error('These tests need a network interface besides the loopback.')
  folder = await mkdtemp(join(tmpdir(), 'gantry-clients-'))
  server = await startLoneServer({ listen: `${address}:0` })
  demo = server.demo
  image = `${server.domain}/demo/busybox`
  certificates = `/etc/docker/certs.d/${server.domain}`
  await mkdir(certificates, { recursive: true })
  await copyFile(join(server.home, 'ca/ca.pem'), join(certificates, 'ca.crt'))
  engine = await startEngine({ network: 'host' })
  await loadBusybox(engine.socket)
  const parts = imageParts(['demo/app:1'])
  await writeFile(join(folder, 'app.tar'), await archiveOf([parts.config, parts.layer, parts.manifest]))
})
afterAll(async () => {
  await engine?.stop()
  await server?.[Symbol.asyncDispose]()
  if (certificates !== '') await rm(certificates, { recursive: true, force: true })
  if (folder !== '') await rm(folder, { recursive: true, force: true })
})

interface Ran {
  readonly code: number
  readonly text: string
}

function run(program: string, args: readonly string[], input = ''): Promise<Ran> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    DOCKER_HOST: engine.url,
    DOCKER_CONFIG: join(folder, 'docker'),
    REGISTRY_AUTH_FILE: join(folder, 'auth.json'),
  }
  return new Promise((resolve) => {
    const child = execFile(program, args, { env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ code, text: `${stdout}${stderr}`.trim() })
    })
    child.stdin?.end(input)
  })
}

async function ok(program: string, args: readonly string[], input = ''): Promise<string> {
  const { code, text } = await run(program, args, input)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${code}\n${text}`)
  return text
}

describe('docker', () => {
  const docker = (...args: string[]) => ok('docker', args)
  const logIn = (user: string, password: string) =>
    run('docker', ['login', '-u', user, '--password-stdin', server.domain], password)

  test('logs in, and is refused with a wrong password', async () => {
    expect((await logIn('demo', 'wrong')).text).toMatch(/not accepted/)
    expect((await logIn('demo', demo.password)).text).toContain('Login Succeeded')
    expect((await logIn('token', demo.token)).text).toContain('Login Succeeded')
  })

  test('pushes, forgets, pulls and runs', async () => {
    await docker('tag', 'busybox:latest', image)
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(await docker('push', image))?.[1] ?? ''
    // All of it is there.
    expect(await docker('push', image)).toContain('Layer already exists')
    await docker('tag', 'busybox:latest', `${server.domain}/demo/copy:2`)
    await docker('push', `${server.domain}/demo/copy:2`)
    await docker('rmi', image, 'busybox:latest', `${server.domain}/demo/copy:2`)
    expect(await docker('pull', image)).toContain(`Digest: ${digest}`)
    expect(await docker('run', '--rm', '--network', 'none', image, 'echo', 'pulled')).toBe('pulled')
    await docker('rmi', image)
    await docker('pull', `${image}@${digest}`)
    expect(await docker('search', `${server.domain}/busy`)).toContain('demo/busybox')
  })

  test('is told why it may not push', async () => {
    await docker('pull', '-q', image)
    await docker('tag', image, `${server.domain}/admin/x`)
    const { code, text } = await run('docker', ['push', `${server.domain}/admin/x`])
    expect([code, text]).toEqual([1, expect.stringContaining('denied: push on admin/x is not allowed')])
    expect((await run('docker', ['pull', `${server.domain}/admin/x`])).text).toMatch(/manifest unknown/)
  })
})

describe('skopeo', () => {
  const skopeo = (...args: string[]) => ok('skopeo', args)
  const at = (name: string) => `docker://${server.domain}/${name}`
  const trusted = ['--src-cert-dir', '--dest-cert-dir']

  test('copies, looks, lists and deletes', async () => {
    await ok(
      'skopeo',
      ['login', '--cert-dir', certificates, '-u', 'demo', '--password-stdin', server.domain],
      demo.password,
    )
    const certs = trusted.flatMap((option) => [option, certificates])
    await skopeo('copy', ...certs, `docker-archive:${folder}/app.tar`, at('demo/app:1'))
    await skopeo('copy', ...certs, at('demo/app:1'), at('demo/moved:2'))
    const seen = JSON.parse(await skopeo('inspect', '--cert-dir', certificates, at('demo/moved:2'))) as object
    expect(seen).toMatchObject({ Name: `${server.domain}/demo/moved`, RepoTags: ['2'], Architecture: 'amd64' })
    const listed = JSON.parse(await skopeo('list-tags', '--cert-dir', certificates, at('demo/app'))) as object
    expect(listed).toMatchObject({ Tags: ['1'] })
    await skopeo('delete', '--cert-dir', certificates, at('demo/moved:2'))
    const gone = await run('skopeo', ['inspect', '--cert-dir', certificates, at('demo/moved:2')])
    expect(gone.text).toMatch(/manifest unknown/)
  })

  test('does not trust a server that nobody vouches for', async () => {
    expect((await run('skopeo', ['inspect', at('demo/app:1')])).code).toBe(0)
    const { code, text } = await run('skopeo', ['inspect', '--cert-dir', folder, at('demo/app:1')])
    expect([code, text]).toEqual([1, expect.stringMatching(/x509|certificate/)])
  })
})

test('podman pulls and pushes', async () => {
  const own = ['--root', join(folder, 'podman'), '--runroot', join(folder, 'podman-run'), '--storage-driver', 'vfs']
  const podman = (args: string[], input = '') => ok('podman', [...own, ...args], input)
  const certs = ['--cert-dir', certificates]
  await podman(['login', ...certs, '-u', 'demo/demo', '--password-stdin', server.domain], demo.password)
  await podman(['pull', '-q', ...certs, `${server.domain}/demo/app:1`])
  await podman(['tag', `${server.domain}/demo/app:1`, `${server.domain}/demo/podman:1`])
  await podman(['push', '-q', ...certs, `${server.domain}/demo/podman:1`])
  expect(await podman(['search', `${server.domain}/podman`])).toContain('demo/podman')
  await podman(['rmi', '-a', '-f'])
  await podman(['pull', '-q', ...certs, `${server.domain}/demo/podman:1`])
})
