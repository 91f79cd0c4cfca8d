import { kinds, volumeService } from '@gantry/openstack'
import type { AdminCloud } from './admin-cloud.ts'
import { bad, type Finding, note, ok, sentence } from './finding.ts'

/** Which service keeps volumes, and what of it runs. The service user must see Cinder's daemons. */
export async function volumeFindings(cloud: AdminCloud): Promise<Finding[]> {
  const { catalog = [] } = await cloud.session.info(cloud.context())
  const has = (types: readonly string[]) => catalog.some(({ type }) => types.includes(type))
  const findings: Finding[] = []
  if (has(kinds.volume.types)) findings.push(...(await cinderFindings(cloud)))
  if (has(kinds.share.types)) findings.push(await manilaFinding(cloud))
  if (findings.length > 0) return findings
  return [note('The cloud has neither Cinder nor Manila, so volumes are files on the disks of hosts and cannot move')]
}

async function cinderFindings({ session, context }: AdminCloud): Promise<Finding[]> {
  const url = await session.endpoint(kinds.volume, context())
  const cinder = volumeService(session)
  const [volumes, backups] = await Promise.all([
    cinder.runs('cinder-volume', context()),
    cinder.runs('cinder-backup', context()),
  ])
  const findings = [
    volumes
      ? ok(`Cinder at ${url.href} keeps volumes`)
      : bad(
          `Cinder at ${url.href} has no cinder-volume that runs, so no volume can be made: openstack volume service list.`,
        ),
  ]
  if (!backups)
    findings.push(note('No cinder-backup runs, so volumes cannot be backed up: start one if that is wanted.'))
  return findings
}

async function manilaFinding({ session, context }: AdminCloud): Promise<Finding> {
  try {
    const url = await session.endpoint(kinds.share, context())
    await session.ask(kinds.share, { method: 'GET', path: '/types' }, context())
    return ok(`Manila at ${url.href} keeps shares`)
  } catch (error) {
    return bad(`Manila is in the catalog but does not answer (${sentence(error)}) Start manila-api, or take it out.`)
  }
}
