import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { homeAt } from '../home.ts'
import { fakeEngine, temporary } from '../testing/fake-engine.ts'
import { askVersion } from './engine-call.ts'
import { candidateSockets, socketOf } from './engine-choice.ts'
import { runningEngine } from './find-engine.ts'
import { aptDetail, enginePackages, forbidServiceStarts, packagesOf, whyNotInstallable } from './install-engine.ts'
import { engineArgs, startOwnEngine } from './own-engine.ts'
import { untilEngineGone } from './watch-engine.ts'

const never = new AbortController().signal

describe('finding', () => {
  test('DOCKER_HOST is taken if it answers, and not passed over if it does not', async () => {
    await using folder = await temporary()
    await using engine = await fakeEngine()
    const find = (host: string) =>
      runningEngine(homeAt(folder.path), { asked: undefined, env: { DOCKER_HOST: host } }, never)
    expect(await find(`unix://${engine.socket}`)).toMatchObject({ kind: 'Docker', version: '1.2.3', own: false })
    await expect(find('unix:///nowhere.sock')).rejects.toThrow(/named by DOCKER_HOST does not answer/)
    await expect(find('tcp://10.0.0.1:2375')).rejects.toThrow(/Unix socket only/)
  })

  test('a user’s own sockets are looked at when they exist', async () => {
    await using engine = await fakeEngine()
    const folder = engine.socket.slice(0, engine.socket.lastIndexOf('/'))
    expect(candidateSockets({ XDG_RUNTIME_DIR: folder })).toContain(engine.socket)
    expect(socketOf('unix:///a/b.sock', '')).toBe('/a/b.sock')
  })

  test('something that accepts and never answers counts as nobody', async () => {
    await using folder = await temporary()
    const socket = join(folder.path, 's')
    const mute = createServer(() => undefined)
    await new Promise<void>((done) => mute.listen(socket, done))
    expect(await askVersion(socket, 50)).toBeUndefined()
    mute.closeAllConnections()
    await new Promise((done) => mute.close(done))
  })

  test('the end of the engine is seen from its event stream', async () => {
    const folder = await temporary()
    const socket = join(folder.path, 's')
    const engine = createServer((_, response) => response.flushHeaders())
    await new Promise<void>((done) => engine.listen(socket, done))
    const gone = untilEngineGone(socket, never)
    engine.once('request', () => setTimeout(() => engine.closeAllConnections(), 20))
    await gone
    await new Promise((done) => engine.close(done))
    await folder[Symbol.asyncDispose]()
  })
})

describe('installing', () => {
  test('only on Debian and its relatives', () => {
    expect(whyNotInstallable('ID=debian\n')).toBeUndefined()
    expect(whyNotInstallable('ID=linuxmint\nID_LIKE="ubuntu debian"\n')).toBeUndefined()
    expect(whyNotInstallable('ID=fedora\n')).toMatch(/Debian and Ubuntu only/)
  })

  test('asks for what this machine lacks', () => {
    expect(enginePackages({ cgroups: true, appArmor: false })).toEqual(
      expect.arrayContaining(['docker.io', 'iptables', 'nftables', 'iproute2', 'e2fsprogs']),
    )
    expect(packagesOf(['nft', 'ip', 'nft'])).toEqual(['nftables', 'iproute2'])
    expect(enginePackages({ cgroups: false, appArmor: true })).toEqual(
      expect.arrayContaining(['cgroupfs-mount', 'apparmor']),
    )
  })

  test('tells what apt does', () => {
    expect(aptDetail('Get:4 http://deb.debian.org/debian bookworm/main amd64 docker.io amd64 20.10.24 [36 MB]')).toBe(
      'downloading docker.io',
    )
    expect(aptDetail('Setting up containerd (1.6.20) ...')).toBe('setting up containerd')
    expect(aptDetail('Reading package lists...')).toBeUndefined()
  })

  test('keeps services from starting only as long as needed, and leaves a policy that was there', async () => {
    await using folder = await temporary()
    const policy = join(folder.path, 'policy-rc.d')
    const restore = forbidServiceStarts(policy)
    expect(readFileSync(policy, 'utf8')).toMatch(/exit 101\n$/)
    expect(statSync(policy).mode & 0o111).not.toBe(0)
    // A second one after a kill: recognised as ours and taken away.
    restore()
    expect(existsSync(policy)).toBe(false)
    writeFileSync(policy, '#!/bin/sh\nexit 0\n')
    forbidServiceStarts(policy)()
    expect(readFileSync(policy, 'utf8')).toContain('exit 0')
  })
})

describe('an engine of our own', () => {
  test('keeps everything under the home and its containers through a restart', () => {
    const args = engineArgs(homeAt('/h'), false)
    expect(args).toEqual(
      expect.arrayContaining(['--host=unix:///h/engine/docker.sock', '--live-restore', '--iptables=false']),
    )
    expect(engineArgs(homeAt('/h'), true).join(' ')).not.toContain('--iptables')
    // The last of two would count.
    expect(args.filter((arg) => arg.startsWith('--log-opt='))).toEqual([
      '--log-opt=max-size=64m',
      '--log-opt=max-file=2',
    ])
  })

  test('a home too deep for a socket’s path is refused before anything starts', async () => {
    await using folder = await temporary()
    const home = homeAt(join(folder.path, 'x'.repeat(80)))
    await expect(startOwnEngine(home, never)).rejects.toThrow(/too long/)
    expect(existsSync(home.root)).toBe(false)
  })

  test('a start that was given up before it began ends at once', async () => {
    await using folder = await temporary()
    const reason = new Error('the server did not start')
    await expect(startOwnEngine(homeAt(folder.path), AbortSignal.abort(reason))).rejects.toThrow(reason)
  })
})
