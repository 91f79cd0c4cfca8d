import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CertificateAuthority, createOrLoadCa } from '@gantry/ca'

/** A CA in a folder of its own, for tests. */
export async function temporaryCa(): Promise<CertificateAuthority> {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-wire-'))
  const ca = await createOrLoadCa(dir)
  await rm(dir, { recursive: true })
  return ca
}
