"""Golden of diffusers' AutoencoderDC, laid out as SANA's: residual levels, then one with linear attention."""

from diffusers import AutoencoderDC

from golden import seed_parameters, write_golden, write_tensors

LEVELS = {
    "block_types": ["ResBlock", "ResBlock", "EfficientViTBlock"],
    "block_out_channels": [6, 12, 12],
    "qkv_multiscales": [[], [], [5]],
}
OPTIONS = {f"{half}_{name}": value for half in ("encoder", "decoder") for name, value in LEVELS.items()} | {
    "encoder_layers_per_block": [1, 1, 2],
    "decoder_layers_per_block": [1, 2, 1],
    "attention_head_dim": 6,
    "latent_channels": 4,
    "downsample_block_type": "conv",
    "upsample_block_type": "interpolate",
}
#: A seed under which `golden.check_weights` is content.
SEED = 57


def gain(name):
    if ".to_qkv_multiscale." in name:
        return 2.0
    return 0.8 if name.startswith("decoder.conv_out") else 1.2


def make(name="dc_ae", seed=SEED):
    model = AutoencoderDC(**OPTIONS)
    seed_parameters(model, seed, gain)
    model.half().float()
    folder = write_golden(
        name,
        model,
        encode=lambda image: model.encode(image).latent,
        decode=lambda latent: model.decode(latent).sample,
        seed=seed,
    )
    model.save_config(folder)
    write_tensors(folder / "model.safetensors", model.half().state_dict())


if __name__ == "__main__":
    make()
