import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'
import { startRegistry, type TestRegistry } from '../fixtures/registry.ts'
import { imageCommands } from './image-commands.ts'

/** Images with the docker command line, for two tenants that have nothing of each other. */
let gantry: Gantry
let open: TestRegistry
let closed: TestRegistry
let demo: Session
let other: Session
let folder = ''

const password = 'only-for-those-who-know-4711'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-images-'))
  closed = await startRegistry({ username: 'puller', password })
  open = await startRegistry()
  const policy = join(folder, 'policy.yaml')
  const grants = [open, closed].map(({ domain }) => `"Registry:${domain}"`).join(', ')
  await writeFile(policy, `- projects: ["*"]\n  grant: [${grants}]\n`)
  gantry = await startGantry({ serverArgs: ['--docker-policy', policy, '--registry-allow', '127.0.0.1'] })
  demo = await gantry.logIn('demo')
  other = await gantry.newTenant('other')
})
afterAll(async () => {
  await open?.[Symbol.asyncDispose]()
  await closed?.[Symbol.asyncDispose]()
  await gantry?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const { docker, ok, refused, ask, names, engineNames, idOf } = imageCommands(() => ({ gantry, demo }))

describe('public images', () => {
  test('are there for everybody, without a registry', async () => {
    expect(await names()).toContain('busybox:latest')
    expect(await ok(['run', '--rm', 'busybox', 'echo', 'hello'], other)).toBe('hello')
    expect(await ok(['history', '--format', '{{.ID}}', 'busybox'])).toMatch(/^[0-9a-f]{12}$/m)
    const id = (await idOf('busybox')).slice('sha256:'.length)
    expect(await ok(['run', '--rm', id.slice(0, 12), 'echo', 'by id'])).toBe('by id')
    expect(await ok(['pull', 'busybox'])).toContain('Status: Image is up to date for busybox:latest')
  })

  test('are nobody’s to remove', async () => {
    expect(await refused(['rmi', '-f', 'busybox'])).toContain('it is public')
    expect(await names(other)).toContain('busybox:latest')
  })

  test('what is not there is asked of the registry, whose words are told', async () => {
    const said = await refused(['run', '--rm', 'nosuch', 'true'])
    expect(said).toMatch(/Unable to find image 'nosuch:latest' locally/)
    expect(said).toMatch(/registry-1\.docker\.io/)
    expect((await ask('GET', '/images/nosuch/json')).text).toBe('{"message":"No such image: nosuch:latest"}')
  })
})

describe('registries', () => {
  test('an image is pulled, listed with its digest, run, and seen by who pulled it only', async () => {
    const name = `${open.domain}/team/app:1`
    const said = await ok(['pull', name])
    expect(said).toMatch(/^Digest: sha256:[0-9a-f]{64}$/m)
    expect(said).toMatch(/^Status: Downloaded newer image for /m)
    expect(await ok(['pull', name])).toMatch(/^Status: Image is up to date for /m)
    expect(await ok(['run', '--rm', name, 'echo', 'pulled'])).toBe('pulled')
    const digest = /sha256:[0-9a-f]{64}/.exec(said)?.[0] ?? ''
    expect(
      await ok(['image', 'inspect', '--format', '{{.RepoDigests}}', `${open.domain}/team/app@${digest}`]),
    ).toContain(digest)
    expect(await names(other)).not.toContain(name)
    const id = await idOf(name)
    for (const ref of [name, id, id.slice(7, 19)]) {
      expect(await ask('GET', `/images/${encodeURIComponent(ref)}/json`, { session: other })).toMatchObject({
        status: 404,
      })
    }
  })

  test('a login opens a private image to its project, under a name that nobody else can say', async () => {
    const name = `${closed.domain}/secret/app`
    expect(await refused(['pull', `${name}:1`])).toMatch(
      /no basic auth credentials|unauthorized|authentication required/i,
    )
    const login = { username: 'puller', password, serveraddress: closed.domain }
    const header = Buffer.from(JSON.stringify(login)).toString('base64url')
    const pulled = await ask('POST', `/images/create?fromImage=${name}&tag=1`, {
      headers: { 'x-registry-auth': header },
    })
    expect(pulled.text).toContain('Status: Downloaded newer image')
    expect(await ok(['run', '--rm', `${name}:1`, 'echo', 'private'])).toBe('private')
    expect(await engineNames()).not.toContain(`${name}:1`)
    expect(await refused(['run', '--rm', `${name}:1`, 'true'], other)).toMatch(/no basic auth|unauthorized|required/i)
    expect(await gantry.logs()).not.toContain(password)
  })

  test('docker login asks the registry', async () => {
    const login = (secret: string) =>
      gantry.docker(['login', '-u', 'puller', '--password-stdin', closed.domain], { session: demo, input: secret })
    expect(await login(password)).toMatchObject({ code: 0, stdout: expect.stringContaining('Login Succeeded') })
    expect(await login('wrong')).toMatchObject({ code: 1 })
  })

  test('a push leaves no name behind, and what was pushed can be pulled', async () => {
    const name = `${open.domain}/pushed/app:2`
    await ok(['run', '--name', 'source', 'busybox', 'sh', '-c', 'echo mine > /mark'])
    await ok(['commit', 'source', name])
    expect(await ok(['push', name])).toMatch(/2: digest: sha256:[0-9a-f]{64} size: \d+/)
    expect(await engineNames()).not.toContain(name)
    await ok(['pull', name], other)
    expect(await ok(['run', '--rm', name, 'cat', '/mark'], other)).toBe('mine')
    await ok(['rm', 'source'])
  })

  test('our own is a registry like others: by its name images are pushed, pulled, run, and refused', async () => {
    const domain = new URL(gantry.api).host
    const { OS_USERNAME: user = '', OS_PASSWORD: secret = '' } = await gantry.env()
    const login = (input: string) =>
      gantry.docker(['login', '-u', user, '--password-stdin', domain], { session: demo, input })
    expect(await login(secret)).toMatchObject({ code: 0, stdout: expect.stringContaining('Login Succeeded') })
    expect(await login('wrong')).toMatchObject({ code: 1 })
    const name = `${domain}/demo/team/web:2`
    await ok(['tag', 'busybox', name])
    expect(await ok(['push', name])).toMatch(/2: digest: sha256:[0-9a-f]{64} size: \d+/)
    expect(await names()).toContain('team/web:2')
    await ok(['rmi', name])
    expect(await ok(['run', '--rm', name, 'echo', 'ours'])).toBe('ours')
    expect(await ok(['pull', name])).toContain('Status:')
    expect(await refused(['pull', name], other)).toContain('manifest unknown')
    await ok(['tag', 'busybox', name], other)
    expect(await refused(['push', name], other)).toContain('denied')
    await ok(['rmi', name], other)
    await ok(['rmi', name, 'team/web:2'])
  })

  test('a network of the host is no registry, unless it is granted', async () => {
    for (const domain of ['127.0.0.1:1', '169.254.169.254', 'localhost:5000', '10.0.0.1']) {
      expect(await refused(['pull', `${domain}/x:1`])).toContain('is not allowed by this service')
      await ok(['tag', 'busybox', `${domain}/x:1`])
      expect(await refused(['push', `${domain}/x:1`])).toContain('is not allowed by this service')
      await ok(['rmi', `${domain}/x:1`])
    }
    expect(await refused(['import', 'http://169.254.169.254/latest'])).toContain(
      'fromSrc is not allowed by this service',
    )
  })
})

describe('names', () => {
  test('are given and taken one by one; the last takes the image', async () => {
    await ok(['run', '--name', 'one', 'busybox', 'touch', '/one'])
    const id = await ok(['commit', 'one', 'named:1'])
    await ok(['tag', 'named:1', 'other.example:5000/deep/named:2'])
    expect(await names()).toEqual(expect.arrayContaining(['named:1', 'other.example:5000/deep/named:2']))
    expect(await refused(['rmi', id.slice(7, 19)])).toContain('image is referenced in multiple repositories')
    expect(await ok(['rmi', 'named:1'])).toBe('Untagged: named:1')
    expect(await ok(['rmi', 'other.example:5000/deep/named:2'])).toBe(
      `Untagged: other.example:5000/deep/named:2\nDeleted: ${id}`,
    )
    await ok(['rm', 'one'])
    await expect.poll(() => gantry.engine.docker('images', '-aq', '--no-trunc')).not.toContain(id)
  })

  test('an image that a container uses stays, without its name if it must', async () => {
    await ok(['run', '--name', 'two', 'busybox', 'touch', '/two'])
    await ok(['commit', 'two', 'used:1'])
    const user = await ok(['create', '--name', 'user', 'used:1'])
    expect(await refused(['rmi', 'used:1'])).toMatch(
      new RegExp(`unable to remove repository reference "used:1" \\(must force\\) - container ${user.slice(0, 12)}`),
    )
    expect(await ok(['rmi', '-f', 'used:1'])).toBe('Untagged: used:1')
    expect(await names()).toContain('<none>:<none>')
    expect(await ok(['image', 'prune', '-f'])).toContain('Total reclaimed space: 0B')
    await ok(['rm', 'user', 'two'])
    expect(await ok(['image', 'prune', '-f'])).toContain('deleted: sha256:')
    expect(await names()).not.toContain('<none>:<none>')
  })

  test('a name that moves on leaves its former image without one', async () => {
    await ok(['run', '--name', 'three', 'busybox', 'touch', '/three'])
    const first = await ok(['commit', 'three', 'moving'])
    const second = await ok(['commit', '-m', 'again', 'three', 'moving'])
    expect(await idOf('moving')).toBe(second)
    const dangling = await ok(['images', '-q', '--no-trunc', '--filter', 'dangling=true'])
    expect(dangling).toBe(first)
    expect(await ok(['run', '--rm', first.slice(7, 19), 'ls', '/three'])).toBe('/three')
    await ok(['rm', 'three'])
    await ok(['rmi', 'moving', first])
  })

  test.each(['UPPER', 'deep/CASE', 'gantry.build/steps', 'gantry-0123456789abcdef0123456789abcdef/x', '../x', 'a//b'])(
    '%s is no name',
    async (name) => {
      const answer = await ask('POST', `/images/busybox/tag?repo=${encodeURIComponent(name)}&tag=1`)
      expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('invalid reference format') })
    },
  )
})

describe('builds', () => {
  async function context(dockerfile: string, files: Record<string, string> = {}): Promise<string> {
    const path = await mkdtemp(join(folder, 'context-'))
    for (const [name, text] of Object.entries({ Dockerfile: dockerfile, ...files }))
      await writeFile(join(path, name), text)
    return path
  }

  test('make images with several names, which run, and leave nothing that stands for them', async () => {
    const path = await context(
      'FROM busybox\nARG WHO\nCOPY hello /hello\nRUN echo "$WHO" >> /hello\nCMD ["cat","/hello"]\n',
      {
        hello: 'hello\n',
      },
    )
    const said = await ok([
      'build',
      '-t',
      'built:1',
      '-t',
      'built:2',
      '--build-arg',
      'WHO=tenant',
      '--label',
      'a=b',
      path,
    ])
    expect(said).toMatch(/Successfully built [0-9a-f]{12}\nSuccessfully tagged built:1\nSuccessfully tagged built:2$/)
    expect(await ok(['run', '--rm', 'built:2'])).toBe('hello\ntenant')
    expect(await ok(['images', '-q', '--filter', 'label=a=b'])).not.toBe('')
    await expect.poll(() => ok(['ps', '-aq', '--filter', 'name=build-'])).toBe('')
    expect(await names(other)).not.toContain('built:1')
    const id = await ok(['build', '-q', path])
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/)
    await ok(['rmi', 'built:1', 'built:2', id])
  })

  test('stand on images of the project, and on no other’s', async () => {
    await ok(['run', '--name', 'seven', 'busybox', 'touch', '/seven'])
    await ok(['commit', 'seven', 'base:7'])
    const path = await context('FROM base:7\nRUN ls /seven\n')
    expect(await ok(['build', '-t', 'on-base', path])).toContain('Successfully tagged on-base:latest')
    expect(await refused(['build', path], other)).toMatch(/base|registry/)
    await ok(['rm', 'seven'])
  })

  test('pull what they need', async () => {
    const name = `${open.domain}/from/there:9`
    const path = await context(`FROM ${name}\nRUN echo on top\n`)
    expect(await ok(['build', '-t', 'on-pulled', path])).toContain('on top')
    expect(await names()).toContain(name)
  })

  test('a mistake in a Dockerfile is told, and options that reach the host are refused', async () => {
    expect(await refused(['build', await context('FROM busybox\nNOSUCH thing\n')])).toMatch(/unknown instruction/i)
    expect(await refused(['build', '--network', 'host', await context('FROM busybox\n')])).toContain('networkmode host')
    expect(await refused(['build', await context('FROM busybox\nRUN exit 3\n')])).toMatch(/returned a non-zero code: 3/)
    await expect.poll(() => ok(['ps', '-aq', '--filter', 'name=build-'])).toBe('')
  })

  test('a server that dies while one runs leaves nothing of it', async () => {
    const path = await context('FROM busybox\nRUN sleep 300\n')
    const building = docker(['build', path])
    await vi.waitFor(async () => expect(await ok(['ps', '-q', '--filter', 'name=build-'])).not.toBe(''), 30_000)
    await gantry.server.kill9()
    expect((await building).code).not.toBe(0)
    await gantry.server.start()
    await vi.waitFor(async () => expect(await ok(['ps', '-aq', '--filter', 'name=build-'])).toBe(''), 60_000)
    await vi.waitFor(async () => expect(await gantry.engine.docker('ps', '-aq')).toBe(''), 60_000)
  })
})

test('nothing of one tenant’s images is another’s to read, name, send or take', async () => {
  await ok(['run', '--name', 'eight', 'busybox', 'touch', '/eight'])
  const id = await ok(['commit', 'eight', 'eighth:1'])
  const refs = ['eighth:1', id, id.slice(7), id.slice(7, 19)]
  const requests = refs.flatMap((ref): [string, string][] => [
    ['GET', `/images/${ref}/json`],
    ['GET', `/images/${ref}/history`],
    ['GET', `/images/${ref}/get`],
    ['GET', `/images/get?names=${encodeURIComponent(ref)}`],
    ['POST', `/images/${ref}/tag?repo=stolen`],
    ['POST', `/images/${ref}/push`],
    ['DELETE', `/images/${ref}?force=1`],
  ])
  for (const [method, path] of requests) {
    expect({ path, ...(await ask(method, path, { session: other })) }).toMatchObject({ path, status: 404 })
  }
  const create = (Image: string) =>
    ask('POST', '/containers/create', {
      session: other,
      body: Buffer.from(JSON.stringify({ Image })),
      headers: { 'content-type': 'application/json' },
    })
  for (const ref of refs) expect(await create(ref)).toMatchObject({ status: 404 })
  expect(await ok(['search', 'eighth'], other)).not.toContain('eighth')
  expect((await ask('GET', '/images/json', { session: other })).text).not.toContain(id)
  expect(await idOf('eighth:1')).toBe(id)
  await ok(['rm', 'eight'])
})
