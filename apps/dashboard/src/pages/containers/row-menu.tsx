import { Menu } from '@mantine/core'
import { useMergedRef } from '@mantine/hooks'
import { IconDots } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { ContainerView } from '@gantry/facade-native/views'
import { type ComponentProps, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { type Ask, asks, can, canAsk } from '../../api/containers.ts'
import classes from './table.module.css'
import type { Tab } from '../container/tabs.ts'

interface RowMenuProps {
  readonly container: ContainerView
  readonly onAsk: (what: Ask, container: ContainerView) => void
}

const offered: readonly Ask[] = ['start', 'stop', 'restart', 'pause', 'unpause']

/** What can be done with one container. The menu itself is made when it is first opened: a list has one in each row. */
export function RowMenu(props: RowMenuProps) {
  const [isMade, setIsMade] = useState(false)
  if (isMade) return <MadeMenu {...props} />
  return <Dots name={props.container.name} onClick={() => setIsMade(true)} />
}

function MadeMenu({ container, onAsk }: RowMenuProps) {
  // Open from the start, it would not know where the focus was.
  const [isOpen, setIsOpen] = useState(false)
  useEffect(() => setIsOpen(true), [])
  const { id, name } = container
  return (
    <Menu position="bottom-end" opened={isOpen} onChange={setIsOpen}>
      <Menu.Target>
        <Dots name={name} takesFocus />
      </Menu.Target>
      <Menu.Dropdown>
        <TabItem id={id} tab="logs" label="Logs" />
        {can('execute', container) && <TabItem id={id} tab="terminal" label="Terminal" />}
        <Menu.Divider />
        {offered
          .filter((what) => what !== 'unpause' || canAsk(what, container))
          .map((what) => (
            <Menu.Item key={what} disabled={!canAsk(what, container)} onClick={() => onAsk(what, container)}>
              {asks[what].label}
            </Menu.Item>
          ))}
        <Menu.Divider />
        <Menu.Item color="red" disabled={!canAsk('delete', container)} onClick={() => onAsk('delete', container)}>
          Delete…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function TabItem({ id, tab, label }: { readonly id: string; readonly tab: Tab; readonly label: string }) {
  return (
    <Menu.Item renderRoot={(props) => <Link {...props} to="/containers/$id" params={{ id }} search={{ tab }} />}>
      {label}
    </Menu.Item>
  )
}

interface DotsProps extends ComponentProps<'button'> {
  readonly name: string
  /** It takes the place of the one that was pressed, so that the menu gives the focus back to it. */
  readonly takesFocus?: boolean
}

/** The menu gives it a class and a ref of its own once it is there. */
function Dots({ name, takesFocus = false, className = '', ref, ...others }: DotsProps) {
  const own = useRef<HTMLButtonElement>(null)
  const both = useMergedRef(own, ref)
  useLayoutEffect(() => {
    if (takesFocus) own.current?.focus()
  }, [takesFocus])
  return (
    <button
      type="button"
      aria-label={`Actions for ${name}`}
      aria-haspopup="menu"
      {...others}
      ref={both}
      className={`${classes['dots']} ${className}`}
    >
      <IconDots size={18} aria-hidden />
    </button>
  )
}
