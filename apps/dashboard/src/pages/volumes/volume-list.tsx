import { NativeSelect, NumberInput, TextInput } from '@mantine/core'
import type { VolumeView } from '@gantry/facade-native/views'
import { useQuery } from '@tanstack/react-query'
import { backupsQuery, patch, post, remove, snapshotsQuery } from '../../api/lists.ts'
import { volumesQuery } from '../../api/nouns.ts'
import { Ago } from '../../parts/ago.tsx'
import { FormDialog, numberOf, textOf } from '../../parts/dialogs.tsx'
import type { Fact } from '../../parts/facts.tsx'
import { PlaceLink } from '../../parts/object-link.tsx'
import { type Deed, Listing } from '../../parts/listing.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import type { Column } from '../../parts/table.tsx'

const nouns = ['volume', 'quota']

export function VolumeList() {
  const query = useQuery(volumesQuery)
  return (
    <Listing
      noun="volume"
      query={query}
      columns={columns}
      nameOf={({ name, id }) => (name === '' ? id.slice(0, 8) : name)}
      factsOf={factsOf}
      deeds={deeds}
      touches={['quota']}
      create={{ label: 'Create volume', form: (close) => <CreateVolume onClose={close} /> }}
      about="A volume keeps files beyond the life of a container: create one, then mount it when you launch."
    />
  )
}

const columns: readonly Column<VolumeView>[] = [
  { label: 'Name', value: ({ name, id }) => (name === '' ? id.slice(0, 8) : name) },
  {
    label: 'Status',
    value: ({ status }) => status,
    show: ({ status, statusReason }) => <StateBadge state={status} reason={statusReason} />,
  },
  { label: 'Size', value: ({ size }) => size, show: ({ size }) => `${size} GiB`, isNumber: true },
  {
    label: 'Used by',
    value: ({ mounts }) => mounts.map(({ containerName }) => containerName).join(', '),
    show: ({ mounts }) => (mounts.length === 0 ? '–' : <Users mounts={mounts} />),
  },
  { label: 'Storage', value: ({ backend, volumeType }) => volumeType ?? backend },
  { label: 'Created', value: ({ createdAt }) => createdAt, show: ({ createdAt }) => <Ago time={createdAt} /> },
]

function Users({ mounts }: Pick<VolumeView, 'mounts'>) {
  return mounts.map(({ containerId, containerName, destination, readOnly }) => (
    <div key={`${containerId} ${destination}`}>
      <PlaceLink to={`/containers/${containerId}`}>{containerName}</PlaceLink> at {destination}
      {readOnly && ', read only'}
    </div>
  ))
}

function factsOf(volume: VolumeView): Fact[] {
  return [
    ['Id', volume.id],
    ['Status', <StateBadge key="state" state={volume.status} reason={null} />],
    ['Reason', volume.statusReason],
    ['Size', `${volume.size} GiB`],
    ['Used by', volume.mounts.length === 0 ? null : <Users key="users" mounts={volume.mounts} />],
    ['Storage', volume.volumeType === null ? volume.backend : `${volume.backend}, ${volume.volumeType}`],
    ['Several hosts at once', volume.multiattach ? 'yes' : 'no'],
    ['Goes with its container', volume.ephemeral ? 'yes' : 'no'],
    ['From snapshot', volume.snapshotId],
    ['Copy of volume', volume.sourceVolumeId],
    ['Host', volume.host],
    ['Created', new Date(volume.createdAt).toLocaleString()],
  ]
}

const deeds: readonly Deed<VolumeView>[] = [
  {
    label: 'Rename',
    form: (volume, close) => (
      <FormDialog
        title={`Rename ${volume.name}`}
        verb="Rename"
        nouns={nouns}
        onClose={close}
        onSubmit={(form) => patch(`/v1/volumes/${volume.id}`, { name: textOf(form, 'name') ?? '' })}
      >
        <TextInput name="name" label="New name" defaultValue={volume.name} maxLength={255} data-autofocus />
      </FormDialog>
    ),
  },
  {
    label: 'Grow',
    isPossible: ({ status }) => status === 'available' || status === 'in-use',
    form: (volume, close) => (
      <FormDialog
        title={`Grow ${volume.name}`}
        verb="Grow"
        nouns={nouns}
        onClose={close}
        onSubmit={(form) => patch(`/v1/volumes/${volume.id}`, { size: numberOf(form, 'size') })}
      >
        <NumberInput
          name="size"
          label="New size, GiB"
          description={`It has ${volume.size} GiB; it can only grow, also while a container uses it.`}
          defaultValue={volume.size + 1}
          min={volume.size + 1}
          allowDecimal={false}
          data-autofocus
        />
      </FormDialog>
    ),
  },
  { label: 'Take a snapshot', form: (volume, close) => <Copy volume={volume} of="snapshot" onClose={close} /> },
  { label: 'Back up', form: (volume, close) => <Copy volume={volume} of="backup" onClose={close} /> },
  {
    label: 'Delete',
    isDangerous: true,
    isPossible: ({ mounts }) => mounts.length === 0,
    question: () => 'All that is in it is lost. Snapshots must be deleted before; backups stay.',
    act: ({ id }) => remove(`/v1/volumes/${id}`),
  },
]

interface CopyProps {
  readonly volume: VolumeView
  readonly of: 'snapshot' | 'backup'
  readonly onClose: () => void
}

function Copy({ volume, of: kind, onClose }: CopyProps) {
  return (
    <FormDialog
      title={`${kind === 'snapshot' ? 'Snapshot' : 'Backup'} of ${volume.name}`}
      verb={kind === 'snapshot' ? 'Take it' : 'Back up'}
      nouns={[kind]}
      onClose={onClose}
      onSubmit={(form) => post(`/v1/${kind}s`, { volume: volume.id, name: textOf(form, 'name') ?? '' })}
    >
      <TextInput
        name="name"
        label="Name"
        maxLength={255}
        description={
          kind === 'snapshot'
            ? 'A snapshot lies beside the volume and is made at once.'
            : 'A backup is kept away from the volume and outlives it.'
        }
        data-autofocus
      />
    </FormDialog>
  )
}

function CreateVolume({ onClose }: { readonly onClose: () => void }) {
  const snapshots = useQuery(snapshotsQuery).data ?? []
  const volumes = useQuery(volumesQuery).data ?? []
  const backups = useQuery(backupsQuery).data ?? []
  const source = (kind: string, objects: readonly { id: string; name: string; size: number }[]) => ({
    group: kind,
    items: objects.map(({ id, name, size }) => ({
      value: `${kind.toLowerCase()}:${id}`,
      label: `${name === '' ? id.slice(0, 8) : name} (${size} GiB)`,
    })),
  })
  return (
    <FormDialog title="Create volume" verb="Create" nouns={nouns} onClose={onClose} onSubmit={createVolume}>
      <TextInput name="name" label="Name" maxLength={255} data-autofocus />
      <NativeSelect
        name="source"
        label="Begins"
        data={[
          { value: '', label: 'empty' },
          source('Snapshot', snapshots),
          source('Volume', volumes),
          source('Backup', backups),
        ]}
      />
      <NumberInput
        name="size"
        label="Size, GiB"
        description="With a source: at least as much as that has, and so much if left empty."
        defaultValue={1}
        min={1}
        allowDecimal={false}
      />
    </FormDialog>
  )
}

async function createVolume(form: FormData): Promise<unknown> {
  const [kind, id] = (textOf(form, 'source') ?? '').split(':')
  const size = numberOf(form, 'size')
  return post('/v1/volumes', {
    name: textOf(form, 'name') ?? '',
    ...(size !== undefined && { size }),
    ...(kind !== undefined && kind !== '' && { [kind]: id }),
  })
}
