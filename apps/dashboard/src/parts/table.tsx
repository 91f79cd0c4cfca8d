import {
  ActionIcon,
  Button,
  Card,
  Group,
  Loader,
  Menu,
  Stack,
  Table,
  Text,
  TextInput,
  UnstyledButton,
  VisuallyHidden,
} from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconArrowDown, IconArrowUp, IconDotsVertical, IconSearch } from '@tabler/icons-react'
import { type ReactNode, useMemo, useState } from 'react'
import { counted } from './amounts.ts'
import { Failure } from './failure.tsx'
import { SortMenu } from './sort-menu.tsx'

export interface Column<T> {
  readonly label: string
  /** What it is sorted and filtered by, and what it shows unless `show` says otherwise. */
  readonly value: (row: T) => string | number | null
  readonly show?: (row: T) => ReactNode
  readonly isNumber?: boolean
}

export interface RowAction {
  readonly label: string
  readonly isDangerous?: boolean
  readonly isDisabled?: boolean
  readonly onClick: () => void
}

interface ListTableProps<T> {
  /** `volumes`: for sentences and for those who hear the page. */
  readonly noun: string
  /** `volume`. */
  readonly one: string
  /** undefined: not there yet. */
  readonly rows: readonly T[] | undefined
  readonly error: Error | null
  readonly onRetry: () => void
  /** The first names the row. */
  readonly columns: readonly Column<T>[]
  readonly idOf: (row: T) => string
  readonly nameOf: (row: T) => string
  /** Opens what is known of a row. */
  readonly onOpen?: (row: T) => void
  readonly actionsOf?: (row: T) => readonly RowAction[]
  /** What is shown where there is none at all. */
  readonly empty: ReactNode
}

/** As many as a browser lays out at once without being felt. */
const shownAtOnce = 200
/** Fewer need no filter. */
const fewRows = 6

/** A list that fits in one answer: filter, order, row menus; cards where the screen is narrow. */
export function ListTable<T>(props: ListTableProps<T>) {
  const { rows, error, onRetry, noun, one, empty, columns } = props
  const [filter, setFilter] = useState('')
  const [order, setOrder] = useState<Order | null>(null)
  const [most, setMost] = useState(shownAtOnce)
  const isNarrow = useMediaQuery('(max-width: 48em)')
  const found = useMemo(
    () => sorted(matching(rows ?? [], columns, filter), columns, order),
    [rows, columns, filter, order],
  )
  if (!rows) {
    if (error) return <Failure error={error} what={`The ${noun} could not be listed`} onRetry={onRetry} />
    return <Loader aria-label={`Loading the ${noun}`} />
  }
  if (rows.length === 0) return empty
  const shown = { ...props, rows: found.slice(0, most) }
  return (
    <Stack gap="sm">
      {error && <Failure error={error} what={`The ${noun} could not be brought up to date`} onRetry={onRetry} />}
      {rows.length >= fewRows && (
        <TextInput
          type="search"
          aria-label={`Filter the ${noun}`}
          placeholder="Filter"
          leftSection={<IconSearch size={16} aria-hidden />}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
          maw={360}
        />
      )}
      <Group justify="space-between" gap="xs">
        <Text size="sm" c="dimmed" role="status">
          {found.length < rows.length && `${found.length} of `}
          {counted(rows.length, one, noun)}
        </Text>
        {isNarrow && rows.length > 1 && (
          <SortMenu
            noun={noun}
            columns={columns.map(({ label }) => ({ key: label, label }))}
            sorting={order && { key: order.label, isDescending: order.isDescending }}
            onSort={({ key, isDescending }) => setOrder({ label: key, isDescending })}
          />
        )}
      </Group>
      {isNarrow ? <Cards {...shown} /> : <Rows {...shown} order={order} onOrder={setOrder} />}
      {found.length > most && (
        <Button variant="default" onClick={() => setMost(most + shownAtOnce)}>
          Show {counted(Math.min(shownAtOnce, found.length - most), 'more', 'more')}
        </Button>
      )}
    </Stack>
  )
}

interface Order {
  readonly label: string
  readonly isDescending: boolean
}

type ShownProps<T> = ListTableProps<T> & { readonly rows: readonly T[] }

function Rows<T>({
  order,
  onOrder,
  ...props
}: ShownProps<T> & { readonly order: Order | null; readonly onOrder: (order: Order) => void }) {
  const { rows, columns, idOf, actionsOf, noun } = props
  return (
    <Table.ScrollContainer minWidth={480}>
      <Table highlightOnHover aria-label={noun}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Heading key={column.label} column={column} order={order} onOrder={onOrder} />
            ))}
            {actionsOf && (
              <Table.Th w={44}>
                <VisuallyHidden>Actions</VisuallyHidden>
              </Table.Th>
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={idOf(row)}>
              {columns.map((column, index) => (
                <Table.Td
                  key={column.label}
                  ta={column.isNumber === true ? 'right' : undefined}
                  maw={440}
                  style={{ overflowWrap: 'break-word' }}
                >
                  {index === 0 ? <Name {...props} row={row} /> : shownOf(column, row)}
                </Table.Td>
              ))}
              {actionsOf && (
                <Table.Td>
                  <RowMenu name={props.nameOf(row)} actions={actionsOf(row)} />
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

interface HeadingProps<T> {
  readonly column: Column<T>
  readonly order: Order | null
  readonly onOrder: (order: Order) => void
}

function Heading<T>({ column: { label, isNumber }, order, onOrder }: HeadingProps<T>) {
  const isOrdered = order?.label === label
  const Arrow = isOrdered && order.isDescending ? IconArrowDown : IconArrowUp
  const direction = isOrdered ? (order.isDescending ? 'descending' : 'ascending') : 'none'
  return (
    <Table.Th aria-sort={direction} ta={isNumber === true ? 'right' : undefined}>
      <UnstyledButton
        fz="sm"
        fw={600}
        onClick={() => onOrder({ label, isDescending: isOrdered && !order.isDescending })}
      >
        {label} {isOrdered && <Arrow size={13} aria-hidden style={{ verticalAlign: 'middle' }} />}
      </UnstyledButton>
    </Table.Th>
  )
}

function Cards<T>(props: ShownProps<T>) {
  const { rows, columns, idOf, nameOf, actionsOf } = props
  return (
    <Stack gap="xs" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
      {rows.map((row) => (
        <Card key={idOf(row)} component="li" withBorder padding="sm">
          <Group justify="space-between" wrap="nowrap" align="flex-start" gap="xs">
            <Text component="div" fw={600} style={{ overflowWrap: 'anywhere' }}>
              <Name {...props} row={row} />
            </Text>
            {actionsOf && <RowMenu name={nameOf(row)} actions={actionsOf(row)} />}
          </Group>
          {columns.slice(1).map((column) => (
            <Group key={column.label} justify="space-between" gap="md" wrap="nowrap">
              <Text size="sm" c="dimmed">
                {column.label}
              </Text>
              <Text component="div" size="sm" ta="right" style={{ overflowWrap: 'anywhere' }}>
                {shownOf(column, row)}
              </Text>
            </Group>
          ))}
        </Card>
      ))}
    </Stack>
  )
}

function Name<T>({ row, columns: [column], onOpen, nameOf }: ListTableProps<T> & { readonly row: T }) {
  const shown = column ? shownOf(column, row) : nameOf(row)
  if (!onOpen) return shown
  return (
    <UnstyledButton c="var(--mantine-color-anchor)" fz="inherit" fw="inherit" onClick={() => onOpen(row)}>
      {shown}
    </UnstyledButton>
  )
}

function RowMenu({ name, actions }: { readonly name: string; readonly actions: readonly RowAction[] }) {
  if (actions.length === 0) return null
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions of ${name}`}>
          <IconDotsVertical size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {actions.map(({ label, isDangerous = false, isDisabled = false, onClick }) => (
          <Menu.Item key={label} disabled={isDisabled} onClick={onClick} {...(isDangerous && { color: 'red' })}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function shownOf<T>({ show, value }: Column<T>, row: T): ReactNode {
  if (show) return show(row)
  const plain = value(row)
  return plain === null || plain === '' ? '–' : plain
}

/** Every word must be somewhere in the row. */
function matching<T>(rows: readonly T[], columns: readonly Column<T>[], filter: string): readonly T[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length === 0) return rows
  return rows.filter((row) => {
    const text = columns
      .map(({ value }) => value(row) ?? '')
      .join('\n')
      .toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

function sorted<T>(rows: readonly T[], columns: readonly Column<T>[], order: Order | null): readonly T[] {
  const column = columns.find(({ label }) => label === order?.label)
  if (!column || !order) return rows
  const collator = new Intl.Collator('en', { numeric: true })
  const compare = (a: string | number | null, b: string | number | null): number =>
    typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a ?? ''), String(b ?? ''))
  const ascending = rows.toSorted((a, b) => compare(column.value(a), column.value(b)))
  return order.isDescending ? ascending.toReversed() : ascending
}
