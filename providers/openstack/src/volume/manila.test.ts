import { OpenStackError } from '@gantry/openstack'
import { describe, expect, test } from 'vitest'
import { shareFault } from './manila-faults.ts'
import { keptShare, shareSnapshotOf } from './manila-shapes.ts'

const share = { id: 's', name: 'n', status: 'available', size: 2, share_proto: 'NFS', project_id: 'p' }
const refusal = (status: number, reason: string, code: string | null = null) =>
  new OpenStackError({ failure: 'answer', service: 'share', status, reason, code })
const about = { type: 'share', ref: 'papers' }

describe('shares', () => {
  test.each([
    ['creating', 'creating', null],
    ['creating_from_snapshot', 'creating', null],
    ['extending', 'available', null],
    ['deleting', 'deleting', null],
    ['migrating', 'in-use', 'Manila says: migrating.'],
    ['error', 'error', 'Manila could not make it.'],
    ['error_deleting', 'error', 'Manila says: error_deleting.'],
    ['extending_error', 'error', 'Manila says: extending_error.'],
    ['inactive', 'error', 'Manila says: inactive.'],
  ])('that are %s are %s', (said, status, statusReason) => {
    expect(keptShare({ ...share, status: said })).toMatchObject({ status, statusReason })
  })

  test('are had by many, and say in Manila’s words why they failed', () => {
    expect(keptShare({ ...share, status: 'error' }, 'No storage could be allocated.')).toMatchObject({
      multiattach: true,
      encrypted: false,
      statusReason: 'No storage could be allocated.',
    })
    expect(keptShare({ ...share, snapshot_id: 'x' })).toMatchObject({ snapshotId: 'x', hasSource: true })
  })

  test('have snapshots of the size they had then', () => {
    const snapshot = { id: 'x', share_id: 's', status: 'available', share_size: 2, size: 2, project_id: 'p' }
    expect(shareSnapshotOf(snapshot)).toMatchObject({ volumeId: 's', size: 2, status: 'available', hostId: null })
    expect(shareSnapshotOf({ ...snapshot, status: 'error_deleting' })).toMatchObject({
      status: 'error',
      statusReason: 'Manila says: error_deleting.',
    })
  })
})

/** What Manila (Zed) answers, word for word. */
describe('refusals', () => {
  test('of what has snapshots come without their reason', () => {
    const fault = shareFault(refusal(403, 'Invalid share: %(reason)s.'), about)
    expect(fault.message).toBe('The share papers is in use: Manila does not do this now; it may have snapshots.')
  })

  test('of what is busy say so', () => {
    const reason = "Invalid share: Share s status must be 'available' to extend, but current status is: deleting."
    expect(shareFault(refusal(400, reason), about)).toMatchObject({ code: 'volume.in-use' })
  })

  test('name what is missing, where that is not the share', () => {
    const of = (reason: string) => shareFault(refusal(404, reason), about)
    expect(of('Share type not found.').message).toBe('The share type that share papers is to have could not be found.')
    expect(of('The resource could not be found.').message).toBe('The share papers could not be found.')
  })

  test('by quota are told as such', () => {
    const reason =
      'ShareSizeExceedsAvailableQuota: Requested share exceeds allowed project/user or share type gigabytes quota.'
    expect(shareFault(refusal(413, reason, 'overLimit'), about)).toMatchObject({ code: 'service.over-quota' })
  })
})
