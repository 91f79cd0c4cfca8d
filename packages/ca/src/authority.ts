import { createPrivateKey, type webcrypto, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type Clock, randomIds, systemClock } from '@gantry/kernel'
import { fingerprintOf } from './fingerprint.ts'
import { keysFrom, makeKeys } from './keys.ts'
import { readRequest } from './request.ts'
import { createSecretFile } from './secret-file.ts'
import { keyAlgorithm, loadX509, type X509 } from './x509.ts'

/** Organizational unit of every agent's certificate: tells it from any other client certificate of the same CA. */
export const agentUnit = 'gantry agent'
/** Of every certificate with which one server of the cloud calls another. */
export const serverUnit = 'gantry server'
/** Organizational unit of every user's certificate; an agent's is never accepted in its place, nor the other way round. */
export const userUnit = 'gantry user'

const hourMs = 3_600_000
const caLifetimeMs = 10 * 365 * 24 * hourMs
const serverLifetimeMs = 365 * 24 * hourMs
const agentLifetimeMs = 24 * hourMs
const userLifetimeMs = 365 * 24 * hourMs
/** A certificate begins a little in the past, so that a host whose clock is slow accepts it at once. */
const backdateMs = 5 * 60_000

export interface IssuedCertificate {
  /** The certificate and the CA's behind it, PEM. */
  readonly certificate: string
  /** PKCS#8 PEM. */
  readonly key: string
}

export interface CertificateAuthority {
  /** The CA's own certificate, PEM. */
  readonly certificate: string
  /** `fingerprintOf(certificate)`: what a join token pins. */
  readonly fingerprint: string
  /** A certificate for TLS servers. `names`: DNS names and IP addresses, at least one; `lifetimeMs`: a year unless told. */
  issueServer(names: readonly string[], lifetimeMs?: number): Promise<IssuedCertificate>
  /** A certificate with which the server of that id is known to other servers of the cloud. A year unless told. */
  issuePeer(serverId: string, lifetimeMs?: number): Promise<IssuedCertificate>
  /**
   * A certificate that lets an agent be `hostId`, for `lifetimeMs` (24 h unless told). Throws `request.invalid` for a bad
   * request; nothing but its public key is taken from it.
   */
  signAgent(csr: string, hostId: string, lifetimeMs?: number): Promise<string>
  /**
   * A certificate with which a user of a project is known; `label` is for people's eyes, `lifetimeMs`: a year unless told.
   * Throws like `signAgent`.
   */
  signUser(csr: string, label: string, lifetimeMs?: number): Promise<SignedCertificate>
}

export interface SignedCertificate {
  /** PEM. */
  readonly certificate: string
  /** Upper-case hex, as Node writes a peer's. */
  readonly serial: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/**
 * The CA kept in `dir` (`ca-key.pem` and `ca.pem`, both 0600), made on first use. Two processes that start at once, or
 * one that dies between the files, end up with the same CA.
 */
export async function createOrLoadCa(dir: string, clock: Clock = systemClock): Promise<CertificateAuthority> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const key = await readOrCreate(join(dir, 'ca-key.pem'), async () => (await makeKeys()).key)
  const keys = keysFrom(key)
  const certificate = await readOrCreate(join(dir, 'ca.pem'), () => selfSign(keys, clock.now()))
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
    throw new Error(`In ${dir}, ca.pem does not belong to the key ca-key.pem; restore both from the same backup.`)
  }
  return authority(certificate, keys, clock)
}

function authority(certificate: string, keys: webcrypto.CryptoKeyPair, clock: Clock): CertificateAuthority {
  const issue = async (x509: typeof X509, leaf: Leaf) => {
    const issuer = new x509.X509Certificate(certificate)
    const issued = await x509.X509CertificateGenerator.create({
      ...common(clock.now(), leaf.lifetimeMs),
      subject: leaf.subject,
      issuer: issuer.subjectName,
      publicKey: leaf.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([leaf.usage]),
        await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ...leaf.extensions,
      ],
    })
    return `${issued.toString('pem')}\n`
  }

  return {
    certificate,
    fingerprint: fingerprintOf(certificate),
    async issueServer(names, lifetimeMs = serverLifetimeMs) {
      const x509 = await loadX509()
      const made = await makeKeys()
      const alternatives = names.map((name) => ({ type: isIP(name) ? ('ip' as const) : ('dns' as const), value: name }))
      const leaf = await issue(x509, {
        subject: [{ CN: ['gantry server'] }],
        publicKey: made.keys.publicKey,
        lifetimeMs,
        usage: x509.ExtendedKeyUsage.serverAuth,
        extensions: [new x509.SubjectAlternativeNameExtension(alternatives)],
      })
      return { certificate: leaf + certificate, key: made.key }
    },
    async issuePeer(serverId, lifetimeMs = serverLifetimeMs) {
      const x509 = await loadX509()
      const made = await makeKeys()
      const leaf = await issue(x509, {
        subject: [{ OU: [serverUnit] }, { CN: [serverId] }],
        publicKey: made.keys.publicKey,
        lifetimeMs,
        usage: x509.ExtendedKeyUsage.clientAuth,
        extensions: [],
      })
      return { certificate: leaf + certificate, key: made.key }
    },
    async signAgent(csr, hostId, lifetimeMs = agentLifetimeMs) {
      const x509 = await loadX509()
      const request = await readRequest(csr)
      return issue(x509, {
        subject: [{ OU: [agentUnit] }, { CN: [hostId] }],
        publicKey: await request.publicKey.export(),
        lifetimeMs,
        usage: x509.ExtendedKeyUsage.clientAuth,
        extensions: [],
      })
    },
    async signUser(csr, label, lifetimeMs = userLifetimeMs) {
      const x509 = await loadX509()
      const request = await readRequest(csr)
      const certificate = await issue(x509, {
        subject: [{ OU: [userUnit] }, { CN: [label] }],
        publicKey: await request.publicKey.export(),
        lifetimeMs,
        usage: x509.ExtendedKeyUsage.clientAuth,
        extensions: [],
      })
      const { serialNumber, validToDate } = new X509Certificate(certificate)
      return { certificate, serial: serialNumber.toUpperCase(), expiresAt: validToDate.getTime() }
    },
  }
}

interface Leaf {
  readonly subject: X509.JsonName
  readonly publicKey: webcrypto.CryptoKey
  readonly lifetimeMs: number
  readonly usage: string
  readonly extensions: readonly X509.Extension[]
}

async function selfSign(keys: webcrypto.CryptoKeyPair, now: number): Promise<string> {
  const x509 = await loadX509()
  const name = [{ CN: [`gantry ca ${randomIds.hex(4)}`] }]
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...common(now, caLifetimeMs),
    name,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

function common(now: number, lifetimeMs: number) {
  return {
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + lifetimeMs),
    signingAlgorithm: keyAlgorithm,
  }
}

async function readOrCreate(path: string, make: () => Promise<string>): Promise<string> {
  const found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (found !== null) return found
  await createSecretFile(path, await make())
  return readFile(path, 'utf8')
}
