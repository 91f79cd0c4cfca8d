import { Page } from '../../parts/page.tsx'
import { Tabbed } from '../../parts/tabbed.tsx'
import { BackupList, SnapshotList } from './copies.tsx'
import { VolumeList } from './volume-list.tsx'

/** Volumes, and the copies made of them. */
export function Volumes() {
  return (
    <Page title="Volumes">
      <Tabbed
        label="Volumes and copies"
        tabs={[
          { id: 'volumes', label: 'Volumes', content: <VolumeList /> },
          { id: 'snapshots', label: 'Snapshots', content: <SnapshotList /> },
          { id: 'backups', label: 'Backups', content: <BackupList /> },
        ]}
      />
    </Page>
  )
}
