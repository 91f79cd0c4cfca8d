import type { ContainerView } from '@gantry/facade-native/views'
import { Anchor, Breadcrumbs, Button, Center, FileButton, Group, Loader, Progress, Stack, Text } from '@mantine/core'
import { IconFolderUp, IconUpload } from '@tabler/icons-react'
import { queryOptions, useMutation, useQuery } from '@tanstack/react-query'
import { type DragEvent, type ReactNode, useMemo, useState } from 'react'
import { can } from '../../../api/containers.ts'
import { counted } from '../../../parts/amounts.ts'
import { ConfirmDialog } from '../../../parts/dialogs.tsx'
import { Empty } from '../../../parts/empty.tsx'
import { Failure } from '../../../parts/failure.tsx'
import { saveFile } from '../../../parts/save-file.ts'
import { archiveAddress, fileContent } from './archive.ts'
import { droppedBy, filesOf, type Picked, pickedBy } from './dropped.ts'
import { sorted } from './entries.ts'
import { FileTable } from './file-table.tsx'
import classes from './files.module.css'
import { type Listing, listFolder } from './listing.ts'
import { PathField } from './path-field.tsx'
import { useUpload } from './use-upload.ts'

/** The key does not begin with `container`: each change of it would run a command in it. */
const filesQuery = (id: string, path: string, isRunning: boolean) =>
  queryOptions({
    queryKey: ['files', id, path],
    staleTime: 5000,
    retry: false,
    queryFn: ({ signal }) => listFolder(id, path, isRunning, signal),
  })

/** What is in the container: looked at, taken out and put in. */
export function Files({ container }: { readonly container: ContainerView }) {
  if (can('archive', container)) return <Browser container={container} />
  return (
    <Empty title="Its files cannot be reached">
      It is {container.status}. They can be once it has been created, and runs or has ended.
    </Empty>
  )
}

function Browser({ container }: { readonly container: ContainerView }) {
  const { id } = container
  const [path, setPath] = useState('/')
  const folder = useQuery(filesQuery(id, path, can('execute', container)))
  const uploading = useUpload(id)
  const [doubt, setDoubt] = useState<readonly Picked[] | null>(null)
  const downloading = useMutation({
    mutationFn: async (file: string) =>
      saveFile(file.split('/').at(-1) ?? 'file', await fileContent(id, file, new AbortController().signal)),
  })
  const send = (files: readonly Picked[]) => {
    if (files.length === 0) return
    if (replacedBy(files, folder.data).length > 0) setDoubt(files)
    else uploading.send(files, path)
  }
  return (
    <Stack gap="xs">
      <Head id={id} path={path} onOpen={setPath} onPick={(files) => send(pickedBy(files))} />
      {uploading.progress !== null && <Sending part={uploading.progress} onCancel={uploading.cancel} />}
      {uploading.error && <Failure error={uploading.error} what="The files could not be uploaded" />}
      {uploading.sent > 0 && (
        <Text size="sm" role="status">
          {counted(uploading.sent, 'file')} uploaded to {uploading.sentTo}.
        </Text>
      )}
      {downloading.error && (
        <Failure error={downloading.error} what={`${downloading.variables} could not be downloaded`} />
      )}
      {downloading.isPending && <Text size="sm">Fetching {downloading.variables}…</Text>}
      <DropPlace onDrop={send}>
        <Content folder={folder} path={path} id={id} onOpen={setPath} onDownload={downloading.mutate} />
      </DropPlace>
      {doubt && (
        <ConfirmDialog
          title="Replace what is there?"
          verb="Replace"
          nouns={[]}
          onConfirm={async () => uploading.send(doubt, path)}
          onClose={() => setDoubt(null)}
        >
          There already: {replacedBy(doubt, folder.data).slice(0, 10).join(', ')}. Files of the same name are replaced;
          whatever else is in a folder stays.
        </ConfirmDialog>
      )}
    </Stack>
  )
}

/** Names that are there and would be written over. */
function replacedBy(files: readonly Picked[], listing: Listing | undefined): readonly string[] {
  const there = new Set(listing?.entries.map(({ name }) => name))
  return [...new Set(files.map(({ path }) => path.split('/')[0] ?? ''))].filter((name) => there.has(name))
}

interface HeadProps {
  readonly id: string
  readonly path: string
  readonly onOpen: (path: string) => void
  readonly onPick: (files: readonly File[]) => void
}

function Head({ id, path, onOpen, onPick }: HeadProps) {
  const parts = path.split('/').filter(Boolean)
  return (
    <Group justify="space-between" gap="xs">
      <Breadcrumbs separatorMargin={4} style={{ flexWrap: 'wrap' }}>
        <Anchor component="button" type="button" size="sm" onClick={() => onOpen('/')}>
          root
        </Anchor>
        {parts.map((part, index) => {
          const to = `/${parts.slice(0, index + 1).join('/')}`
          return (
            <Anchor key={to} component="button" type="button" size="sm" onClick={() => onOpen(to)}>
              {part}
            </Anchor>
          )
        })}
      </Breadcrumbs>
      <Group gap="xs">
        <PathField key={path} path={path} onOpen={onOpen} />
        <FileButton multiple onChange={onPick}>
          {(props) => (
            <Button size="xs" variant="default" leftSection={<IconUpload size={14} aria-hidden />} {...props}>
              Upload
            </Button>
          )}
        </FileButton>
        <FileButton multiple onChange={onPick} inputProps={{ webkitdirectory: '' }}>
          {(props) => (
            <Button size="xs" variant="default" leftSection={<IconFolderUp size={14} aria-hidden />} {...props}>
              Upload folder
            </Button>
          )}
        </FileButton>
        <Button
          size="xs"
          variant="default"
          component="a"
          href={archiveAddress(id, path)}
          download={`${parts.at(-1) ?? 'root'}.tar`}
        >
          Download folder
        </Button>
      </Group>
    </Group>
  )
}

interface ContentProps {
  readonly folder: { readonly data: Listing | undefined; readonly error: Error | null; readonly refetch: () => unknown }
  readonly path: string
  readonly id: string
  readonly onOpen: (path: string) => void
  readonly onDownload: (path: string) => void
}

function Content({ folder: { data, error, refetch }, path, id, onOpen, onDownload }: ContentProps) {
  const entries = useMemo(() => sorted(data?.entries ?? []), [data])
  if (error) return <Failure error={error} what={`${path} could not be listed`} onRetry={() => void refetch()} />
  if (!data) {
    return (
      <Center py="xl">
        <Loader aria-label="Loading the files" />
      </Center>
    )
  }
  if (entries.length === 0) return <Empty title="Nothing in here">Drop files here, or press Upload.</Empty>
  return (
    <>
      {data.isPartial && (
        <Text size="sm" p="xs" role="status">
          The folder is large; only a part of it is listed. A deeper folder can be opened by typing its path.
        </Text>
      )}
      <FileTable containerId={id} folder={path} entries={entries} onOpen={onOpen} onDownload={onDownload} />
    </>
  )
}

function Sending({ part, onCancel }: { readonly part: number; readonly onCancel: () => void }) {
  const percent = Math.round(part * 100)
  return (
    <Group gap="xs" wrap="nowrap">
      <Progress value={percent} flex={1} aria-label={`Uploading, ${percent} percent`} />
      <Button size="compact-xs" variant="default" onClick={onCancel}>
        Cancel
      </Button>
    </Group>
  )
}

interface DropPlaceProps {
  readonly onDrop: (files: readonly Picked[]) => void
  readonly children: ReactNode
}

function DropPlace({ onDrop, children }: DropPlaceProps) {
  const [isOver, setIsOver] = useState(false)
  const reading = useMutation({ mutationFn: filesOf, onSuccess: onDrop })
  const over = (event: DragEvent) => {
    event.preventDefault()
    setIsOver(true)
  }
  return (
    // The button Upload does the same without a mouse.
    <div
      className={isOver ? `${classes['place']} ${classes['over']}` : classes['place']}
      onDragOver={over}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setIsOver(false)
        reading.mutate(droppedBy(event.dataTransfer))
      }}
    >
      {reading.isPending && (
        <Text size="sm" p="xs" role="status">
          Reading what was dropped…
        </Text>
      )}
      {reading.error && <Failure error={reading.error} what="What was dropped could not be read" />}
      {children}
    </div>
  )
}
