import type { ContainerView } from '@gantry/facade-native/views'
import { Alert, Button, CloseButton, Group, List, Paper, Progress, Text } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { type Ask, ask, asks, canAsk } from '../../api/containers.ts'
import { showContainer } from '../../api/container-list.ts'
import { counted } from '../../parts/amounts.ts'
import { ConfirmDialog } from '../../parts/dialogs.tsx'
import { askMany, type BulkProgress } from './bulk.ts'

interface BulkBarProps {
  /** The chosen ones. */
  readonly chosen: readonly ContainerView[]
  readonly onClear: () => void
}

const offered: readonly Ask[] = ['start', 'stop', 'restart', 'delete']

/** What can be done with all that are chosen, how far it is, and what failed. */
export function BulkBar({ chosen, onClear }: BulkBarProps) {
  const client = useQueryClient()
  const [progress, setProgress] = useState<BulkProgress | null>(null)
  const [asked, setAsked] = useState<Ask | null>(null)
  const stop = useRef<AbortController>(null)
  const start = (what: Ask) => {
    stop.current = new AbortController()
    void askMany(
      what,
      chosen.filter((one) => canAsk(what, one)),
      {
        ask: async (verb, one, signal) => {
          const view = await ask(verb, one, signal)
          if (view) showContainer(client, view)
        },
        signal: stop.current.signal,
        onProgress: setProgress,
        pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      },
    )
  }
  if (progress) {
    return <Course progress={progress} onCancel={() => stop.current?.abort()} onClose={() => setProgress(null)} />
  }
  if (chosen.length === 0) return null
  return (
    <Paper withBorder p="xs" role="region" aria-label="Selected containers">
      <Group gap="xs">
        <Text size="sm" fw={600} role="status">
          {chosen.length.toLocaleString('en')} selected
        </Text>
        {offered.map((what) => (
          <AskButton
            key={what}
            what={what}
            chosen={chosen}
            onClick={() => (what === 'start' ? start(what) : setAsked(what))}
          />
        ))}
        <Button size="xs" variant="subtle" onClick={onClear}>
          Clear
        </Button>
      </Group>
      {asked && (
        <ConfirmDialog
          title={titleOf(asked, chosen)}
          verb={asks[asked].label}
          nouns={[]}
          onConfirm={async () => start(asked)}
          onClose={() => setAsked(null)}
        >
          <Consequence what={asked} chosen={chosen} />
        </ConfirmDialog>
      )}
    </Paper>
  )
}

function AskButton({ what, chosen, onClick }: Pick<BulkBarProps, 'chosen'> & { what: Ask; onClick: () => void }) {
  return (
    <Button size="xs" variant="default" disabled={!chosen.some((one) => canAsk(what, one))} onClick={onClick}>
      {asks[what].label}
    </Button>
  )
}

function titleOf(what: Ask, chosen: readonly ContainerView[]): string {
  return `${asks[what].label} ${counted(chosen.filter((one) => canAsk(what, one)).length, 'container')}?`
}

function Consequence({ what, chosen }: { readonly what: Ask; readonly chosen: readonly ContainerView[] }) {
  const fit = chosen.filter((one) => canAsk(what, one))
  const left = chosen.length - fit.length
  const names = fit.slice(0, 5).map(({ name }) => name)
  return (
    <>
      <Text size="sm">
        {names.join(', ')}
        {fit.length > names.length && ` and ${fit.length - names.length} more`}
      </Text>
      {what === 'delete' && (
        <Text size="sm" mt="xs">
          Those that run are stopped first. What they wrote outside of their volumes is lost.
        </Text>
      )}
      {left > 0 && (
        <Text size="sm" c="dimmed" mt="xs">
          {counted(left, 'container')} of the chosen {left === 1 ? 'is' : 'are'} left out because of the present status.
        </Text>
      )}
    </>
  )
}

interface CourseProps {
  readonly progress: BulkProgress
  readonly onCancel: () => void
  readonly onClose: () => void
}

function Course({ progress: { what, total, done, failed, isOver }, onCancel, onClose }: CourseProps) {
  const accepted = done - failed.length
  return (
    <Paper withBorder p="xs" role="region" aria-label="Progress">
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" role="status">
          {isOver
            ? `${counted(accepted, 'container')} ${accepted === 1 ? 'is' : 'are'} ${asks[what].done}.`
            : `${done} of ${total} asked`}
        </Text>
        {isOver ? (
          <CloseButton aria-label="Close this message" onClick={onClose} />
        ) : (
          <Button size="xs" variant="default" onClick={onCancel}>
            Cancel the rest
          </Button>
        )}
      </Group>
      {!isOver && <Progress value={(100 * done) / Math.max(1, total)} mt="xs" aria-label={`${done} of ${total}`} />}
      {failed.length > 0 && (
        <Alert
          color="red"
          variant="light"
          mt="xs"
          title={`${counted(failed.length, 'container')} ${asks[what].failure}`}
        >
          <List size="sm" spacing={2}>
            {failed.slice(0, 50).map(({ id, name, why }) => (
              <List.Item key={id} style={{ overflowWrap: 'anywhere' }}>
                <b>{name}</b>: {why}
              </List.Item>
            ))}
          </List>
          {failed.length > 50 && <Text size="sm">and {failed.length - 50} more</Text>}
        </Alert>
      )}
    </Paper>
  )
}
