// Pictures from the camera: made small, kept as text, and drawn on a canvas, so that no image source needs to be allowed.
const Photo = (() => {
  const LONGEST = 640;

  async function paint(canvas, blob) {
    const image = await createImageBitmap(blob);
    const scale = Math.min(1, LONGEST / Math.max(image.width, image.height));
    canvas.width = Math.round(image.width * scale);
    canvas.height = Math.round(image.height * scale);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
  }

  /** The picture in a file, as a small JPEG in a `data:` text. */
  async function read(file) {
    const canvas = document.createElement("canvas");
    await paint(canvas, file);
    return canvas.toDataURL("image/jpeg", 0.7);
  }

  /** A canvas with a picture that `read` gave. */
  function show(text, label) {
    const canvas = Kit.el("canvas", { class: "photo", role: "img", "aria-label": label, width: 4, height: 3 });
    const bytes = Uint8Array.from(atob(text.slice(text.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
    paint(canvas, new Blob([bytes])).catch(() => Kit.say("A picture could not be read."));
    return canvas;
  }

  return { read, show };
})();
