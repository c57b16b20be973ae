// Shows JSON text indented and coloured, every number as it came.

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([{}[\],])/g;

// Replaces the content of `target`; answers how many GraphQL errors the text holds.
export function showJson(target, text) {
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    target.textContent = text;
    return 1;
  }
  target.replaceChildren(...pieces(text));
  return Array.isArray(parsed.errors) ? parsed.errors.length : 0;
}

// The text itself is laid out, not the parsed value: parsing would round large numbers.
function* pieces(text) {
  let depth = 0;
  let previous = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [, string, colon, number, literal, mark] of text.matchAll(TOKEN)) {
    const isClosing = mark === "}" || mark === "]";
    if (isClosing) depth -= 1;
    const isOpened = previous === "{" || previous === "[";
    if (isClosing ? !isOpened : isOpened || previous === ",") yield line();
    if (string !== undefined) {
      yield coloured(string, colon ? "key" : "string");
      if (colon) yield ": ";
    } else if (number !== undefined) {
      yield coloured(number, "number");
    } else if (literal !== undefined) {
      yield coloured(literal, "literal");
    } else {
      yield mark;
    }
    if (mark === "{" || mark === "[") depth += 1;
    previous = mark ?? "";
  }
}

function coloured(text, kind) {
  const span = document.createElement("span");
  span.className = kind;
  span.textContent = text;
  return span;
}
