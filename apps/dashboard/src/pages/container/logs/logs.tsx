import type { ContainerView } from '@gantry/facade-native/views'
import { ActionIcon, Button, Group, Stack, Switch, Text, TextInput } from '@mantine/core'
import { IconChevronDown, IconChevronUp, IconDownload, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { type KeyboardEvent, useMemo, useState } from 'react'
import { can } from '../../../api/containers.ts'
import { Empty } from '../../../parts/empty.tsx'
import { Failure } from '../../../parts/failure.tsx'
import { saveFile } from '../../../parts/save-file.ts'
import { plainText } from './ansi.ts'
import type { LogLine } from './log-buffer.ts'
import { LogView } from './log-view.tsx'
import { type Log, mostLines, useLog, wholeLog } from './use-log.ts'

/** What a container writes, as it writes it. */
export function Logs({ container }: { readonly container: ContainerView }) {
  if (can('logs', container)) return <LiveLog container={container} />
  return (
    <Empty title="No log yet">
      It is {container.status}. What its program writes is shown here once it has been started.
    </Empty>
  )
}

function LiveLog({ container }: { readonly container: ContainerView }) {
  const [timestamps, setTimestamps] = useState(false)
  const log = useLog(container, timestamps)
  const view = useHeld(log)
  const search = useLogSearch(view.lines, view.hold)
  const saving = useMutation({
    mutationFn: async () => saveFile(`${container.name}.log`, await wholeLog(container.id, timestamps)),
  })
  return (
    <Stack gap="xs">
      <Group gap="xs" justify="space-between">
        <SearchField search={search} />
        <Group gap="xs">
          <Switch
            label="Times"
            checked={timestamps}
            onChange={({ currentTarget }) => setTimestamps(currentTarget.checked)}
          />
          <HoldButton view={view} count={log.count} />
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} aria-hidden />}
            loading={saving.isPending}
            onClick={() => saving.mutate()}
          >
            Download
          </Button>
        </Group>
      </Group>
      {saving.error && <Failure error={saving.error} what="The log could not be downloaded" />}
      {log.error && <Failure error={log.error} what="The log could not be read" onRetry={log.again} />}
      <LogView
        lines={view.lines}
        wanted={search.wanted}
        current={search.current}
        isFollowing={view.isFollowing}
        onFollow={(isFollowing) => (isFollowing ? view.release() : view.hold())}
      />
      <Text size="xs" c="dimmed">
        {sentenceOf(log, container)}
      </Text>
    </Stack>
  )
}

function sentenceOf({ state, count }: Log, { status }: ContainerView): string {
  const kept = count > mostLines ? `, the last ${mostLines} are kept here` : ''
  const lines = `${count} ${count === 1 ? 'line' : 'lines'}${kept}`
  if (state === 'reading')
    return count === 0 ? 'It has written nothing yet.' : `${lines}. More appear as they are written.`
  return status === 'Running'
    ? `${lines}. The stream ended and is begun again.`
    : `${lines}. It writes no more: it is ${status}.`
}

interface Held {
  readonly lines: readonly LogLine[]
  readonly isFollowing: boolean
  /** Lines there were when it was held. */
  readonly count: number
  readonly hold: () => void
  readonly release: () => void
}

/** The lines as they come, or as they were when the reader wanted to look at some. */
function useHeld({ lines, count }: Log): Held {
  const [held, setHeld] = useState<{ readonly lines: readonly LogLine[]; readonly count: number } | null>(null)
  return {
    lines: held?.lines ?? lines,
    count: held?.count ?? count,
    isFollowing: held === null,
    hold: () => setHeld((known) => known ?? { lines, count }),
    release: () => setHeld(null),
  }
}

function HoldButton({ view: { isFollowing, count, hold, release }, count: now }: { view: Held; count: number }) {
  const Icon = isFollowing ? IconPlayerPause : IconPlayerPlay
  const news = now - count
  return (
    <Button
      size="xs"
      variant={isFollowing ? 'default' : 'filled'}
      leftSection={<Icon size={14} aria-hidden />}
      onClick={isFollowing ? hold : release}
    >
      {isFollowing ? 'Pause' : news > 0 ? `Follow, ${news} new` : 'Follow'}
    </Button>
  )
}

interface LogSearch {
  readonly text: string
  readonly setText: (text: string) => void
  readonly wanted: string
  readonly current: number | null
  readonly position: string
  readonly move: (by: 1 | -1) => void
}

function useLogSearch(lines: readonly LogLine[], hold: () => void): LogSearch {
  const [text, setText] = useState('')
  const [current, setCurrent] = useState<number | null>(null)
  const wanted = text.toLowerCase()
  const found = useMemo(
    () => (wanted === '' ? [] : lines.filter((line) => plainText(line.text).toLowerCase().includes(wanted))),
    [lines, wanted],
  )
  const at = found.findIndex(({ number }) => number === current)
  const move = (by: 1 | -1) => {
    if (found.length === 0) return
    hold()
    // The newest first: that is where one looks.
    const next = at === -1 ? found.length - 1 : (at + by + found.length) % found.length
    setCurrent(found[next]?.number ?? null)
  }
  const position = at === -1 ? `${found.length} lines` : `${at + 1} of ${found.length}`
  return { text, setText, wanted, current: at === -1 ? null : current, position: wanted === '' ? '' : position, move }
}

function SearchField({ search: { text, setText, position, move } }: { readonly search: LogSearch }) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') move(event.shiftKey ? 1 : -1)
    if (event.key === 'Escape') setText('')
  }
  return (
    <Group gap={4} wrap="nowrap" flex="1 1 260px" maw={480}>
      <TextInput
        size="xs"
        type="search"
        aria-label="Search the log"
        placeholder="Search; Enter goes up"
        value={text}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={onKeyDown}
        flex={1}
      />
      <ActionIcon variant="default" aria-label="Match before" disabled={text === ''} onClick={() => move(-1)}>
        <IconChevronUp size={16} aria-hidden />
      </ActionIcon>
      <ActionIcon variant="default" aria-label="Match after" disabled={text === ''} onClick={() => move(1)}>
        <IconChevronDown size={16} aria-hidden />
      </ActionIcon>
      <Text size="xs" miw={64} role="status">
        {position}
      </Text>
    </Group>
  )
}
