import { readFile } from 'node:fs/promises'
import { type Clock, Fault, type Ids, randomIds, reasonOf, systemClock } from '@gantry/kernel'
import type { CallNote } from './call.ts'
import type { Interface } from './catalog.ts'
import type { Credential } from './credential.ts'
import { createDirectory } from './directory.ts'
import { identityUrl } from './log-in.ts'
import type { Patience } from './repeat-policy.ts'
import { createSession, type Session } from './session.ts'
import { createTransport } from './transport.ts'

export interface CloudOptions {
  /** `OS_AUTH_URL`: Keystone, with or without `/v3`. */
  readonly authUrl: string
  /** Needed where there are several. */
  readonly region?: string
  readonly interface?: Interface
  /** By type of service (`image`, `block-storage`), in place of the catalog's. */
  readonly endpoints?: Readonly<Record<string, string>>
  /** PEM; in place of the authorities that the machine trusts. */
  readonly caFile?: string
  /** Any certificate is good enough: for trying things out. */
  readonly insecure?: boolean
  readonly userAgent?: string
  readonly patience?: Patience
  readonly clock?: Clock
  readonly ids?: Ids
  /** In [0, 1), for the jitter of repeated calls. */
  readonly random?: () => number
  /** Is told of every attempt of every call. */
  readonly seen?: (note: CallNote) => void
}

/** One OpenStack cloud; owns the connections to it. */
export interface Cloud extends AsyncDisposable {
  /** Asks nothing yet: the first call logs in. */
  session(credential: Credential): Session
}

/** Throws a fault if the address or the file is no good. */
export async function openCloud(options: CloudOptions): Promise<Cloud> {
  const { authUrl, caFile, clock = systemClock, ids = randomIds, random = Math.random, endpoints = {} } = options
  for (const url of [authUrl, ...Object.values(endpoints)]) {
    if (/^https?:/.test(url) && URL.canParse(url)) continue
    throw new Fault('machine.unfit', {
      problem: `The address ${url} of an OpenStack service is not an http or https URL.`,
      remedy: 'Write it as in OS_AUTH_URL.',
    })
  }
  const ca =
    caFile === undefined ? undefined : await readFile(caFile, 'utf8').catch((error) => Promise.reject(noFile(error)))
  const { insecure, userAgent, patience, seen } = options
  const transport = createTransport({
    clock,
    ids,
    random,
    ...(ca !== undefined && { ca }),
    ...(insecure !== undefined && { insecure }),
    ...(userAgent !== undefined && { userAgent }),
    ...(patience && { patience }),
    ...(seen && { seen }),
  })
  const identity = identityUrl(authUrl)
  const ending = new AbortController()
  const lifetime = ending.signal
  const { interface: kind = 'public', region } = options
  const directory = createDirectory({ transport, identity, interface: kind, region, endpoints, lifetime })
  return {
    session: (credential) => createSession({ transport, identity, directory, lifetime }, credential),
    async [Symbol.asyncDispose]() {
      ending.abort(new Error('The connection to the cloud was closed.'))
      await transport[Symbol.asyncDispose]()
    },
  }
}

function noFile(error: unknown): Fault {
  return new Fault('machine.unfit', {
    problem: `The file of certificate authorities cannot be read: ${reasonOf(error)}.`,
    remedy: 'Set it as in OS_CACERT.',
  })
}
