import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createOrLoadCa, userUnit } from './authority.ts'
import { fingerprintOf } from './fingerprint.ts'
import { createRequest } from './request.ts'

const openssl = async (...args: string[]) => (await promisify(execFile)('openssl', args)).stdout

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gantry-ca-'))
})
afterEach(() => rm(dir, { recursive: true }))

const file = async (name: string, content: string) => {
  await writeFile(join(dir, name), content)
  return join(dir, name)
}

describe('the CA on disk', () => {
  test('is made once, readable by its owner only, and loaded the second time', async () => {
    const first = await createOrLoadCa(join(dir, 'ca'))
    const second = await createOrLoadCa(join(dir, 'ca'))
    expect(second.fingerprint).toBe(first.fingerprint)
    expect((await readdir(join(dir, 'ca'))).sort()).toEqual(['ca-key.pem', 'ca.pem'])
    for (const name of ['ca-key.pem', 'ca.pem']) {
      expect((await stat(join(dir, 'ca', name))).mode & 0o777).toBe(0o600)
    }
  })

  test('is the same for processes that make it at the same moment', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => createOrLoadCa(dir)))
    expect(new Set(all.map((ca) => ca.fingerprint)).size).toBe(1)
  })

  test('is finished if only the key was written before a crash', async () => {
    await createOrLoadCa(dir)
    await rm(join(dir, 'ca.pem'))
    const ca = await createOrLoadCa(dir)
    const path = await file('again.pem', (await ca.issueServer(['localhost'])).certificate)
    expect(await openssl('verify', '-CAfile', join(dir, 'ca.pem'), path)).toContain('OK')
  })

  test('is refused if key and certificate do not belong together', async () => {
    await createOrLoadCa(dir)
    const other = await createOrLoadCa(join(dir, 'other'))
    await writeFile(join(dir, 'ca.pem'), other.certificate)
    await expect(createOrLoadCa(dir)).rejects.toThrow('does not belong')
  })
})

describe('certificates', () => {
  test('for a server carry its names, and openssl accepts them for servers only', async () => {
    const ca = await createOrLoadCa(dir)
    const { certificate } = await ca.issueServer(['gantry.example', '127.0.0.1', '::1'])
    const path = await file('server.pem', certificate)
    const root = join(dir, 'ca.pem')
    const verify = ['verify', '-x509_strict', '-CAfile', root]
    expect(await openssl(...verify, '-purpose', 'sslserver', '-verify_hostname', 'gantry.example', path)).toContain(
      'OK',
    )
    expect(await openssl(...verify, '-purpose', 'sslserver', '-verify_ip', '::1', path)).toContain('OK')
    await expect(openssl(...verify, '-purpose', 'sslclient', path)).rejects.toThrow()
    await expect(openssl(...verify, '-verify_hostname', 'other.example', path)).rejects.toThrow()
  })

  test('for an agent name its host, end after 24 h, and openssl accepts them for clients only', async () => {
    const now = Date.now()
    const ca = await createOrLoadCa(dir, { now: () => now })
    const { csr, key } = await createRequest('whatever I like')
    const certificate = await ca.signAgent(csr, 'host-1')
    const path = await file('agent.pem', certificate)
    const verify = ['verify', '-x509_strict', '-CAfile', join(dir, 'ca.pem')]
    expect(await openssl(...verify, '-purpose', 'sslclient', path)).toContain('OK')
    await expect(openssl(...verify, '-purpose', 'sslserver', path)).rejects.toThrow()
    const parsed = new X509Certificate(certificate)
    expect(parsed.subject.split('\n')).toContain('CN=host-1')
    expect(parsed.subject).not.toContain('whatever')
    expect(Math.abs(parsed.validToDate.getTime() - now - 24 * 3_600_000)).toBeLessThan(1000)
    expect(key).toContain('BEGIN PRIVATE KEY')
  })

  test('for a user end after a year, say their serial as TLS does, and are for clients only', async () => {
    const now = Date.now()
    const ca = await createOrLoadCa(dir, { now: () => now })
    const { csr } = await createRequest('whatever I like')
    const signed = await ca.signUser(csr, 'ann of demo')
    const path = await file('user.pem', signed.certificate)
    const verify = ['verify', '-x509_strict', '-CAfile', join(dir, 'ca.pem')]
    expect(await openssl(...verify, '-purpose', 'sslclient', path)).toContain('OK')
    await expect(openssl(...verify, '-purpose', 'sslserver', path)).rejects.toThrow()
    const parsed = new X509Certificate(signed.certificate)
    expect(parsed.subject.split('\n')).toEqual([`OU=${userUnit}`, 'CN=ann of demo'])
    expect(parsed.serialNumber).toBe(signed.serial)
    expect(Math.abs(signed.expiresAt - now - 365 * 24 * 3_600_000)).toBeLessThan(1000)
    expect((await ca.signUser(csr, 'ann of demo', 1000)).serial).not.toBe(signed.serial)
  })

  test('are not given for a request that is broken, signed by another key, or of another kind of key', async () => {
    const ca = await createOrLoadCa(dir)
    const { csr } = await createRequest('x')
    const der = Buffer.from(csr.replace(/-----.*-----/g, ''), 'base64')
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1)
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`
    const rsa = await openssl(
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      join(dir, 'k'),
      '-subj',
      '/CN=x',
    )
    for (const bad of ['', 'nonsense', forged, rsa, ca.certificate]) {
      await expect(ca.signAgent(bad, 'host-1')).rejects.toMatchObject({ code: 'request.invalid' })
    }
  })

  test('have the fingerprint that openssl shows', async () => {
    const ca = await createOrLoadCa(dir)
    const shown = await openssl('x509', '-in', join(dir, 'ca.pem'), '-noout', '-fingerprint', '-sha256')
    expect(shown.trim().split('=')[1]?.replaceAll(':', '').toLowerCase()).toBe(ca.fingerprint)
    expect(fingerprintOf(ca.certificate)).toBe(ca.fingerprint)
  })
})
