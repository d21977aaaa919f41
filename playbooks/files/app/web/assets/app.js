'use strict';
const api = async (path, options) => (await fetch(path, options)).json();
async function show() {
  const { items } = await api('/items');
  document.querySelector('#items').replaceChildren(
    ...items.map((item) => Object.assign(document.createElement('li'), { textContent: item.name })),
  );
  document.querySelector('#host').textContent = (await api('/version')).host;
}
document.querySelector('#new').addEventListener('submit', async (event) => {
  event.preventDefault();
  const name = document.querySelector('#name');
  await api('/items', { method: 'POST', body: JSON.stringify({ name: name.value }) });
  name.value = '';
  await show();
});
show();
