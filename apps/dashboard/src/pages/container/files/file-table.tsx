import { ActionIcon, Anchor, VisuallyHidden } from '@mantine/core'
import { IconDownload, IconFile, IconFolder, IconLink, IconPackageExport, IconQuestionMark } from '@tabler/icons-react'
import { Ago } from '../../../parts/ago.tsx'
import { bytesText } from '../../../parts/amounts.ts'
import { Spacer } from '../../../parts/spacer.tsx'
import { useWindowRows } from '../../../parts/use-window-rows.ts'
import { archiveAddress } from './archive.ts'
import { type Entry, joined } from './entries.ts'
import classes from './files.module.css'

interface FileTableProps {
  readonly containerId: string
  readonly folder: string
  readonly entries: readonly Entry[]
  readonly onOpen: (path: string) => void
  readonly onDownload: (path: string) => void
}

const icons = { folder: IconFolder, file: IconFile, link: IconLink, other: IconQuestionMark }
const kindWords = { folder: 'Folder', file: 'File', link: 'Link', other: 'Special file' }

/** What is in a folder; only the rows in sight are there. */
export function FileTable({ entries, folder, ...others }: FileTableProps) {
  const { ref, items, above, below } = useWindowRows<HTMLTableSectionElement>(entries.length, 38)
  return (
    <table className={classes['table']} aria-label={`Files in ${folder}`} aria-rowcount={entries.length + 1}>
      <thead>
        <tr aria-rowindex={1}>
          <th>Name</th>
          <th className={classes['size']}>Size</th>
          <th className={classes['changed']}>Changed</th>
          <th className={classes['mode']}>Mode</th>
          <th className={classes['menu']}>
            <VisuallyHidden>Actions</VisuallyHidden>
          </th>
        </tr>
      </thead>
      <tbody ref={ref}>
        <Spacer height={above} className={classes['spacer']} />
        {items.map(({ index }) => {
          const entry = entries[index]
          return (
            entry && <Row key={entry.name} entry={entry} index={index} path={joined(folder, entry.name)} {...others} />
          )
        })}
        <Spacer height={below} className={classes['spacer']} />
      </tbody>
    </table>
  )
}

interface RowProps extends Pick<FileTableProps, 'containerId' | 'onOpen' | 'onDownload'> {
  readonly entry: Entry
  readonly index: number
  readonly path: string
}

function Row({ entry: { name, kind, size, changedAt, mode }, index, path, containerId, onOpen, onDownload }: RowProps) {
  const Icon = icons[kind]
  const leads = kind === 'folder' || kind === 'link'
  return (
    <tr aria-rowindex={index + 2}>
      <td title={name}>
        <span className={classes['name']}>
          <Icon size={16} role="img" aria-label={kindWords[kind]} style={{ flex: 'none' }} />
          {leads ? (
            <button type="button" className={classes['open']} onClick={() => onOpen(path)}>
              {name}
            </button>
          ) : (
            <span>{name}</span>
          )}
        </span>
      </td>
      <td className={classes['size']}>{kind === 'file' ? bytesText(size) : ''}</td>
      <td className={classes['changed']}>{changedAt > 0 && <Ago time={new Date(changedAt).toISOString()} />}</td>
      <td className={classes['mode']}>
        <code>{mode}</code>
      </td>
      <td className={classes['menu']}>
        {kind === 'file' && (
          <ActionIcon variant="subtle" color="gray" aria-label={`Download ${name}`} onClick={() => onDownload(path)}>
            <IconDownload size={16} aria-hidden />
          </ActionIcon>
        )}
        <Anchor
          href={archiveAddress(containerId, path)}
          download={`${name}.tar`}
          aria-label={`Download ${name} as an archive`}
          title="As an archive"
        >
          <IconPackageExport size={16} style={{ verticalAlign: 'middle', margin: 6 }} aria-hidden />
        </Anchor>
      </td>
    </tr>
  )
}
