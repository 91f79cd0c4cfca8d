import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type AttachedVolumes, attachedVolumes, programsUnder } from '../../host/src/volumes/index.ts'
import { allOf, isOpenStackError, type Session, shareService } from '@gantry/openstack'
import { eventually, type TestCloud } from './fixtures/test-cloud.ts'

const run = promisify(execFile)

/** A machine that Manila knows by its address, which the cloud's mount.nfs believes. */
export interface ShareHost extends AsyncDisposable {
  readonly connector: { readonly host: string; readonly ip: string }
  readonly attached: AttachedVolumes
  /** Where a test may have things mounted. */
  readonly folder: string
  /** Lines of the mount table with something of this host's. */
  mounts(): Promise<string[]>
}

export async function shareHost(name: string, ip: string): Promise<ShareHost> {
  const folder = await mkdtemp(`/tmp/gantry-share-${name}-`)
  const programs = programsUnder(join(folder, 'programs.lock'))
  const asThisHost = {
    ...programs,
    run: (program: string, args: readonly string[], signal?: AbortSignal) =>
      programs.run('env', [`TESTCLOUD_NFS_CLIENT=${ip}`, program, ...args], signal),
  }
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const attached = attachedVolumes({
    folder: join(folder, 'state'),
    programs: asThisHost,
    log,
    host: name,
    address: ip,
  })
  const mounts = async () =>
    (await run('cat', ['/proc/self/mountinfo'])).stdout.split('\n').filter((line) => line.includes(folder))
  return {
    connector: { host: name, ip },
    attached,
    folder,
    mounts,
    async [Symbol.asyncDispose]() {
      for (const id of await attached.list()) await attached.unmount(id)
      if ((await mounts()).length > 0) throw new Error(`Something is still mounted in ${folder}.`)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Removes what a test left in its project at Manila. */
export async function emptyOfShares(cloud: TestCloud, session: Session): Promise<void> {
  const manila = shareService(session)
  const context = cloud.context
  for (const { id } of await allOf(manila.snapshots.list({}, context()))) await manila.snapshots.remove(id, context())
  await eventually('the end of snapshots', async () => (await allOf(manila.snapshots.list({}, context()))).length === 0)
  for (const { id } of await allOf(manila.shares.list({}, context()))) {
    await manila.shares.remove(id, context()).catch((error: unknown) => {
      if (!isOpenStackError(error)) throw error
    })
  }
  await eventually('the end of shares', async () => (await allOf(manila.shares.list({}, context()))).length === 0)
}
