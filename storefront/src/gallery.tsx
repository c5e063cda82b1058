// The pictures of a product: a large one, the others to choose from, and each as large as the window.

import { useState } from "react";
import { Dialog } from "./dialog";
import styles from "./gallery.module.css";
import { Picture, Reduction, SearchIcon } from "./pieces";
import { useShop } from "./shop";

export interface Shot {
  readonly image: string;
  /** What is seen: the product, and its colour if it has several. */
  readonly name: string;
}

export function Gallery(props: {
  shots: readonly Shot[];
  /** The picture to begin with. */
  image: string | null;
  price: number;
  original: number | null | undefined;
}) {
  const { t } = useShop();
  const { shots, image } = props;
  const [chosen, choose] = useState({ from: image, image });
  const [isLarge, setLarge] = useState(false);
  // Another colour begins with its own picture.
  const shown = chosen.from === image ? chosen.image : image;
  const shot = shots.find((one) => one.image === shown);
  const show = (image: string) => choose({ from: props.image, image });
  return (
    <div className={styles.gallery}>
      <div className={styles.stage}>
        <Picture image={shown} alt={shot?.name ?? ""} eager />
        <Reduction price={props.price} original={props.original} />
        {shot && (
          <button type="button" className={styles.zoom} onClick={() => setLarge(true)}>
            <SearchIcon />
            <span className="unseen">
              {t.zoom}: {shot.name}
            </span>
          </button>
        )}
      </div>
      {shots.length > 1 && (
        <ul className={styles.thumbs}>
          {shots.map(({ image, name }) => (
            <li key={image}>
              <button
                type="button"
                aria-pressed={image === shown}
                aria-label={t.picture(name)}
                onClick={() => show(image)}
              >
                <Picture image={image} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {isLarge && shot && (
        <Large shots={shots} shot={shot} show={show} close={() => setLarge(false)} />
      )}
    </div>
  );
}

function Large(props: {
  shots: readonly Shot[];
  shot: Shot;
  show: (image: string) => void;
  close: () => void;
}) {
  const { t } = useShop();
  const { shots, shot } = props;
  const [isNear, setNear] = useState(false);
  const turn = (by: number) => {
    const next = shots[(shots.indexOf(shot) + by + shots.length) % shots.length];
    if (next) props.show(next.image);
  };
  return (
    <Dialog
      title={shot.name}
      close={props.close}
      isLarge
      onKeyDown={({ key }) => {
        if (key === "+" || key === "-") setNear(key === "+");
        // What is near is moved by the arrows.
        if (!isNear && key === "ArrowLeft") turn(-1);
        if (!isNear && key === "ArrowRight") turn(1);
      }}
    >
      <div className={`${styles.view} ${isNear ? styles.near : ""}`} tabIndex={isNear ? 0 : -1}>
        <img src={shot.image} alt={shot.name} onClick={() => setNear(!isNear)} />
      </div>
      <p className={styles.bar}>
        {shots.length > 1 && (
          <button type="button" className="button quiet" onClick={() => turn(-1)}>
            <span aria-hidden="true">←</span>
            <span className="unseen">{t.previous}</span>
          </button>
        )}
        <button
          type="button"
          className="button quiet"
          aria-pressed={isNear}
          onClick={() => setNear(!isNear)}
        >
          {isNear ? t.zoomOut : t.zoom}
        </button>
        {shots.length > 1 && (
          <button type="button" className="button quiet" onClick={() => turn(1)}>
            <span aria-hidden="true">→</span>
            <span className="unseen">{t.next}</span>
          </button>
        )}
      </p>
    </Dialog>
  );
}
