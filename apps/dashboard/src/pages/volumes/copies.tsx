import { NumberInput, TextInput } from '@mantine/core'
import type { SnapshotView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { backupsQuery, namesOf, post, remove, snapshotsQuery } from '../../api/lists.ts'
import { volumesQuery } from '../../api/nouns.ts'
import { Ago } from '../../parts/ago.tsx'
import { FormDialog, numberOf, textOf } from '../../parts/dialogs.tsx'
import { type Deed, Listing } from '../../parts/listing.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import type { Column } from '../../parts/table.tsx'

/** Backups look the same. */
type CopyView = SnapshotView

export function SnapshotList() {
  const query = useQuery(snapshotsQuery)
  return (
    <Listing
      noun="snapshot"
      query={query}
      columns={useCopyColumns()}
      nameOf={nameOf}
      deeds={deedsOf('snapshot')}
      about="A snapshot keeps a volume as it is now. Take one from the menu of a volume."
    />
  )
}

export function BackupList() {
  const query = useQuery(backupsQuery)
  return (
    <Listing
      noun="backup"
      query={query}
      columns={useCopyColumns()}
      nameOf={nameOf}
      deeds={deedsOf('backup')}
      about="A backup is a copy that is kept away from its volume and outlives it. Make one from the menu of a volume."
    />
  )
}

const nameOf = ({ name, id }: CopyView) => (name === '' ? id.slice(0, 8) : name)

function useCopyColumns(): readonly Column<CopyView>[] {
  const volumeName = namesOf(useQuery(volumesQuery).data)
  return [
    { label: 'Name', value: nameOf },
    {
      label: 'Status',
      value: ({ status }) => status,
      show: ({ status, statusReason }) => <StateBadge state={status} reason={statusReason} />,
    },
    { label: 'Of volume', value: ({ volumeId }) => volumeName(volumeId) },
    { label: 'Size', value: ({ size }) => size, show: ({ size }) => `${size} GiB`, isNumber: true },
    { label: 'Made', value: ({ createdAt }) => createdAt, show: ({ createdAt }) => <Ago time={createdAt} /> },
  ]
}

function deedsOf(kind: 'snapshot' | 'backup'): readonly Deed<CopyView>[] {
  return [
    {
      label: 'Create a volume from it',
      isPossible: ({ status }) => status === 'available',
      form: (copy, close) => (
        <FormDialog
          title={`Volume from ${nameOf(copy)}`}
          verb="Create"
          nouns={['volume', 'quota']}
          onClose={close}
          onSubmit={(form) =>
            post('/v1/volumes', {
              name: textOf(form, 'name') ?? '',
              size: numberOf(form, 'size') ?? copy.size,
              [kind]: copy.id,
            })
          }
        >
          <TextInput name="name" label="Name" maxLength={255} data-autofocus />
          <NumberInput name="size" label="Size, GiB" defaultValue={copy.size} min={copy.size} allowDecimal={false} />
        </FormDialog>
      ),
    },
    {
      label: 'Delete',
      isDangerous: true,
      question: () => 'What it keeps cannot be brought back. The volume it was made of stays as it is.',
      act: ({ id }) => remove(`/v1/${kind}s/${id}`),
    },
  ]
}
