import type { ContainerView } from '@gantry/facade-native/views'
import { Button, Menu } from '@mantine/core'
import { IconChevronDown } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { type Ask, ask, asks, can, canAsk, useAsk } from '../../api/containers.ts'
import { ConfirmDialog } from '../../parts/dialogs.tsx'
import { FailureToast } from '../../parts/failure-toast.tsx'
import { RebuildDialog, RenameDialog, ResizeDialog, SnapshotDialog } from './dialogs.tsx'

type Dialog = 'rename' | 'resize' | 'snapshot' | 'rebuild' | 'kill' | 'delete'

const dialogs = { rename: RenameDialog, resize: ResizeDialog, snapshot: SnapshotDialog, rebuild: RebuildDialog }

/** Everything that can be asked of the container; what its status forbids cannot be pressed. */
export function Buttons({ container }: { readonly container: ContainerView }) {
  const asking = useAsk()
  const [dialog, setDialog] = useState<Dialog | null>(null)
  const press = (what: Ask) => asking.mutate({ what, of: container })
  const again = () => asking.variables && asking.mutate(asking.variables)
  const isStopped = !canAsk('stop', container)
  return (
    <>
      <AskButton what={isStopped ? 'start' : 'stop'} {...{ container, press }} isPending={asking.isPending} />
      <AskButton what="restart" {...{ container, press }} isPending={asking.isPending} />
      <More container={container} press={press} open={setDialog} />
      {dialog !== null && <Opened dialog={dialog} container={container} onClose={() => setDialog(null)} />}
      {asking.error && asking.variables && (
        <FailureToast
          error={asking.error}
          what={`${container.name} ${asks[asking.variables.what].failure}`}
          onRetry={again}
          onClose={asking.reset}
        />
      )}
    </>
  )
}

interface AskButtonProps {
  readonly what: Ask
  readonly container: ContainerView
  readonly press: (what: Ask) => void
  readonly isPending: boolean
}

function AskButton({ what, container, press, isPending }: AskButtonProps) {
  return (
    <Button size="sm" variant="default" disabled={isPending || !canAsk(what, container)} onClick={() => press(what)}>
      {asks[what].label}
    </Button>
  )
}

interface MoreProps {
  readonly container: ContainerView
  readonly press: (what: Ask) => void
  readonly open: (dialog: Dialog) => void
}

function More({ container, press, open }: MoreProps) {
  const pausing = canAsk('unpause', container) ? 'unpause' : 'pause'
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button size="sm" variant="default" rightSection={<IconChevronDown size={14} aria-hidden />}>
          More
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item disabled={!canAsk(pausing, container)} onClick={() => press(pausing)}>
          {asks[pausing].label}
        </Menu.Item>
        <Menu.Item disabled={!canAsk('kill', container)} onClick={() => open('kill')}>
          Kill…
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item disabled={!can('update', container)} onClick={() => open('rename')}>
          Rename…
        </Menu.Item>
        <Menu.Item disabled={!can('update', container)} onClick={() => open('resize')}>
          Resize…
        </Menu.Item>
        <Menu.Item disabled={!can('commit', container)} onClick={() => open('snapshot')}>
          Snapshot…
        </Menu.Item>
        <Menu.Item disabled={!can('rebuild', container)} onClick={() => open('rebuild')}>
          Rebuild…
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item color="red" disabled={!canAsk('delete', container)} onClick={() => open('delete')}>
          Delete…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

interface OpenedProps {
  readonly dialog: Dialog
  readonly container: ContainerView
  readonly onClose: () => void
}

function Opened({ dialog, container, onClose }: OpenedProps) {
  const navigate = useNavigate()
  if (dialog !== 'kill' && dialog !== 'delete') {
    const Asked = dialogs[dialog]
    return <Asked container={container} onClose={onClose} />
  }
  const confirm = async () => {
    await ask(dialog, container)
    if (dialog === 'delete') void navigate({ to: '/containers' })
  }
  return (
    <ConfirmDialog
      title={`${asks[dialog].label} ${container.name}?`}
      verb={asks[dialog].label}
      nouns={[]}
      onConfirm={confirm}
      onClose={onClose}
    >
      {dialog === 'kill'
        ? 'Its processes end at once and cannot save what they are working on. To stop it gently, use Stop.'
        : 'It is stopped first if it runs. What it wrote outside of its volumes is lost.'}
    </ConfirmDialog>
  )
}
