// The editor of project files: CodeMirror in a shadow root, where it needs no inline style. What is wrong is underlined
// at its line and column.
import { autocompletion, completeFromList } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'preact/hooks';
import type { Found } from './problem';
import { words } from './words';

const theme = EditorView.theme({
  '&': { height: '100%', fontSize: '13px', color: 'var(--text)', backgroundColor: 'var(--surface)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--muted)', border: 'none', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--sunk), transparent 50%)' },
  '.cm-content': { caretColor: 'var(--accent)' }, '.cm-cursor': { borderLeftColor: 'var(--accent)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--accent-soft)' },
  '.cm-tooltip, .cm-panels': { backgroundColor: 'var(--raised)', color: 'var(--text)', border: '1px solid var(--line)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent-soft)', color: 'var(--text)' },
  '.cm-diagnostic': { padding: '4px 8px', fontFamily: 'system-ui' }, '.cm-button, .cm-textfield': { backgroundColor: 'var(--surface)', color: 'var(--text)', backgroundImage: 'none' },
});
const highlight = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--info)' }, { tag: [tags.string, tags.special(tags.string)], color: 'var(--ok)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--warn)' }, { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
  { tag: [tags.meta, tags.labelName, tags.typeName], color: 'var(--bad)' }]);

function placed(view: EditorView, found: Found[]): Diagnostic[] {
  const doc = view.state.doc;
  return found.map((each) => {
    const line = doc.line(Math.max(1, Math.min(doc.lines, each.line || 1)));
    const from = Math.min(line.to, line.from + Math.max(0, (each.column || 1) - 1));
    const rest = /^[\w.$/-]+/.exec(doc.sliceString(from, line.to))?.[0].length ?? 1;
    return { from, to: Math.min(line.to, from + rest), severity: each.level === 'warning' ? 'warning' : 'error', message: each.message };
  });
}

interface Props {
  /** Taken when the editor is made and when `revision` is another one; in between the editor knows better. */
  text: string;
  revision: number;
  label: string;
  problems: Found[];
  yaml?: boolean;
  readOnly?: boolean;
  onChange: (text: string) => void;
  onSave?: () => void;
  /** Moves there when it changes. */
  to?: { line: number; column: number } | null;
}

export default function Editor(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: 'open' });
    const extensions: Extension[] = [lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), search({ top: true }), highlightSelectionMatches(),
      indentUnit.of('  '), EditorState.tabSize.of(2), theme, syntaxHighlighting(highlight), lintGutter(),
      EditorView.contentAttributes.of({ 'aria-label': props.label, tabindex: '0' }),
      keymap.of([{ key: 'Mod-s', preventDefault: true, run: () => { latest.current.onSave?.(); return true; } }, { key: 'Escape', run: (now) => { now.contentDOM.blur(); return true; } }, ...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab]),
      EditorView.updateListener.of((update) => update.docChanged && latest.current.onChange(update.state.doc.toString()))];
    if (props.yaml !== false) extensions.push(yaml(), autocompletion({ override: [completeFromList(words)] }));
    if (props.readOnly) extensions.push(EditorState.readOnly.of(true));
    view.current = new EditorView({ parent: root as unknown as Element, root, state: EditorState.create({ doc: props.text, extensions }) });
    return () => view.current?.destroy();
  }, []);
  useEffect(() => {
    const now = view.current!;
    if (latest.current.text !== now.state.doc.toString()) now.dispatch({ changes: { from: 0, to: now.state.doc.length, insert: latest.current.text } });
  }, [props.revision]);
  useEffect(() => {
    view.current!.dispatch(setDiagnostics(view.current!.state, placed(view.current!, props.problems)));
  }, [props.problems]);
  useEffect(() => {
    if (!props.to) return;
    const now = view.current!, line = now.state.doc.line(Math.max(1, Math.min(now.state.doc.lines, props.to.line)));
    now.dispatch({ selection: { anchor: Math.min(line.to, line.from + Math.max(0, props.to.column - 1)) }, effects: EditorView.scrollIntoView(line.from, { y: 'center' }) });
    now.focus();
  }, [props.to]);
  return <div class="editor"><div class="editor-box" ref={host} /></div>;
}
