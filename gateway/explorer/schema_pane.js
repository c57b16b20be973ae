// The schema pane: types, fields and what they mean, from introspection.

const FOUND_MAX = 60;
const TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
const VALUE = `name description defaultValue type { ${TYPE} }`;
const INTROSPECTION = `{ __schema {
  queryType { name } mutationType { name }
  types {
    kind name description
    fields(includeDeprecated: true) {
      name description isDeprecated deprecationReason type { ${TYPE} } args { ${VALUE} }
    }
    inputFields { ${VALUE} }
    interfaces { name } possibleTypes { name }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  }
} }`;

// Reads the schema once and lets people walk through it.
export async function openSchema(pane, search, back, post) {
  const { text } = await post({ query: INTROSPECTION });
  const schema = JSON.parse(text).data?.__schema;
  if (!schema) {
    pane.textContent = "The schema can not be read.";
    return;
  }
  const types = new Map(schema.types.filter((type) => !type.name.startsWith("__")).map((type) => [type.name, type]));
  const walked = [];
  const roots = [schema.queryType, schema.mutationType].filter(Boolean).map((root) => root.name);

  function show(name, isReturn = false) {
    if (!isReturn) walked.push(name);
    back.hidden = walked.length < 2;
    pane.replaceChildren(...described(types.get(name), show));
  }
  function showRoots() {
    walked.length = 0;
    back.hidden = true;
    pane.replaceChildren(...roots.flatMap((name) => described(types.get(name), show)));
  }
  back.addEventListener("click", () => {
    walked.pop();
    if (walked.length) show(walked.at(-1), true);
    else showRoots();
  });
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    if (wanted) pane.replaceChildren(...found(types, wanted, show));
    else showRoots();
  });
  showRoots();
}

function described(type, show) {
  const heading = made("h2", `${type.kind.toLowerCase().replace("_", " ")} ${type.name}`);
  const list = document.createElement("dl");
  for (const field of type.fields ?? type.inputFields ?? []) list.append(...entry(field, show));
  for (const value of type.enumValues ?? []) list.append(...entry(value, show));
  return [
    heading,
    made("p", type.description ?? ""),
    ...related("implements", type.interfaces, show),
    ...related("is one of", type.kind === "OBJECT" ? [] : type.possibleTypes, show),
    list,
  ];
}

function entry(field, show) {
  const term = document.createElement("dt");
  const name = made("span", field.name);
  if (field.isDeprecated) name.className = "deprecated";
  term.append(name);
  if (field.args?.length) {
    term.append("(");
    field.args.forEach((argument, index) => {
      const label = made("span", `${index ? ", " : ""}${argument.name}: `);
      label.title = argument.description ?? "";
      term.append(label, ...typeLinks(argument.type, show));
      if (argument.defaultValue !== null) term.append(` = ${argument.defaultValue}`);
    });
    term.append(")");
  }
  if (field.type) term.append(": ", ...typeLinks(field.type, show));
  if (field.defaultValue) term.append(` = ${field.defaultValue}`);
  const why = field.isDeprecated ? ` Deprecated: ${field.deprecationReason}` : "";
  return [term, made("dd", `${field.description ?? ""}${why}`)];
}

function typeLinks(type, show) {
  if (type.kind === "NON_NULL") return [...typeLinks(type.ofType, show), "!"];
  if (type.kind === "LIST") return ["[", ...typeLinks(type.ofType, show), "]"];
  return [link(type.name, type.name, show)];
}

function related(words, types, show) {
  if (!types?.length) return [];
  const line = made("p", `${words} `);
  types.forEach((type, index) => line.append(index ? ", " : "", link(type.name, type.name, show)));
  return [line];
}

function found(types, wanted, show) {
  const list = document.createElement("dl");
  for (const type of types.values()) {
    if (list.childElementCount >= FOUND_MAX) break;
    if (type.name.toLowerCase().includes(wanted)) list.append(term(link(type.name, type.name, show)));
    for (const field of type.fields ?? type.inputFields ?? []) {
      if (field.name.toLowerCase().includes(wanted)) {
        list.append(term(link(`${type.name}.${field.name}`, type.name, show)));
      }
    }
  }
  return [list.childElementCount ? list : made("p", "Nothing has that in its name.")];
}

function term(content) {
  const line = document.createElement("dt");
  line.append(content);
  return line;
}

function link(label, name, show) {
  const anchor = made("a", label);
  anchor.tabIndex = 0;
  anchor.addEventListener("click", () => show(name));
  anchor.addEventListener("keydown", (event) => { if (event.key === "Enter") show(name); });
  return anchor;
}

function made(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
