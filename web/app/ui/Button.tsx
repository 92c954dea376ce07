import type { ComponentChildren, JSX } from 'preact';
import { Icon } from './Icon';
import type { IconName } from './icons';

interface Props {
  children: ComponentChildren;
  /** a submit button leaves it to its form */
  onPress?: () => void;
  kind?: 'primary' | 'danger' | 'plain' | undefined;
  size?: 'small' | 'large' | undefined;
  wide?: boolean;
  icon?: IconName | undefined;
  /** under way: stays focusable, does nothing */
  busy?: boolean;
  label?: string;
  test?: string | undefined;
  /** whom it acts on, for outside tests */
  seat?: string | undefined;
  type?: 'button' | 'submit';
  pressed?: boolean;
  expanded?: boolean;
  focus?: boolean;
}

export function Button(props: Props): JSX.Element {
  const { busy = false, icon } = props;
  const classes = ['button', props.kind, props.size, props.wide === true && 'wide'];
  return (
    <button
      type={props.type ?? 'button'}
      class={classes.filter(Boolean).join(' ')}
      aria-disabled={busy}
      aria-label={props.label}
      title={props.label}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      data-testid={props.test}
      data-seat={props.seat}
      data-focus={props.focus}
      onClick={() => {
        if (!busy) props.onPress?.();
      }}
    >
      {busy ? <Icon name="wait" spin /> : icon !== undefined && <Icon name={icon} />}
      {props.children}
    </button>
  );
}
